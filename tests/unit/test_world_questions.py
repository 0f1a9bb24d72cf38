"""Questions of the demo world: true, balanced, and in the closed vocabulary."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from lynx.demo.world import (
    Question,
    Scene,
    WorldSettings,
    build_scene,
    question_corpus,
    scanqa_questions,
    sqa3d_questions,
)
from lynx.demo.world.depth_facts import floor_distance, height_answer
from lynx.demo.world.scene import Furniture
from lynx.demo.world.wording import COLOUR_ANSWERS, DEPTH_ANSWERS, need_of
from tests.unit.world_scenes import plain_scene, with_hidden

SETTINGS = WorldSettings()
Ask = Callable[[Scene], tuple[Question, ...]]
BOTH = pytest.mark.parametrize("ask", [scanqa_questions, sqa3d_questions])


def _asked(ask: Ask, split: str) -> Iterable[tuple[Scene, Question]]:
    for index in SETTINGS.scene_indices(split):
        scene = build_scene(SETTINGS.seed, index)
        for question in ask(scene):
            yield scene, question


@BOTH
@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_depth_answers_are_balanced(ask: Ask, split: str) -> None:
    answers: dict[str, Counter[str]] = defaultdict(Counter)
    for _, question in _asked(ask, split):
        answers[question.kind][question.answers[0]] += 1
    depth_kinds = [kind for kind in answers if need_of(kind) == "depth"]
    assert len(depth_kinds) >= 7
    for kind in depth_kinds:
        share = answers[kind].most_common(1)[0][1] / answers[kind].total()
        assert share <= 1 / len(DEPTH_ANSWERS[kind]) + 0.12, (kind, answers[kind])


@BOTH
def test_colour_answers_are_spread_over_the_training_scenes(ask: Ask) -> None:
    answers: dict[str, Counter[str]] = defaultdict(Counter)
    for _, question in _asked(ask, "train"):
        answers[question.kind][question.answers[0]] += 1
    for kind in [kind for kind in answers if need_of(kind) == "colour"]:
        share = answers[kind].most_common(1)[0][1] / answers[kind].total()
        assert share <= 1 / len(COLOUR_ANSWERS[kind]) + 0.15, (kind, answers[kind])


@BOTH
def test_every_sentence_is_in_the_corpus(ask: Ask) -> None:
    corpus = set(question_corpus())
    for _, question in _asked(ask, "test"):
        assert {question.text, *question.answers[:1], *question.situation} <= corpus


@BOTH
def test_answers_are_among_the_kinds_answers(ask: Ask) -> None:
    answers = {**COLOUR_ANSWERS, **DEPTH_ANSWERS}
    for _, question in _asked(ask, "val"):
        assert question.answers[0] in answers[question.kind]
        assert question.needs == ("depth" if question.kind in DEPTH_ANSWERS else "colour")


def test_question_counts_per_scene() -> None:
    for ask, colour, depth in ((scanqa_questions, 4.7, 5.8), (sqa3d_questions, 3.8, 4.1)):
        counts = Counter(question.needs for _, question in _asked(ask, "train"))
        assert counts["colour"] / SETTINGS.train_scenes == pytest.approx(colour, abs=0.2)
        assert counts["depth"] / SETTINGS.train_scenes == pytest.approx(depth, abs=0.2)


def test_first_words_cover_the_types_of_sqa3d() -> None:
    for split in ("train", "val", "test"):
        types = Counter(question.text.split()[0] for _, question in _asked(sqa3d_questions, split))
        assert {"What", "Is", "How", "Can", "Which", "Are", "Does", "Do"} <= set(types)


def test_hidden_facts_change_answers_but_not_visible_questions() -> None:
    """With scale, door and panel changed, every colour question and its answer stays as it was."""
    for index in range(40):
        scene = build_scene(0, index)
        changed = with_hidden(
            scene,
            size_class="large",
            scale=2.1,
            door_open=not scene.hidden.door_open,
            panel_is_window=not scene.hidden.panel_is_window,
        )
        for ask in (scanqa_questions, sqa3d_questions):
            before, after = ([q for q in ask(s) if q.needs == "colour"] for s in (scene, changed))
            assert [(q.text, q.answers) for q in before] == [(q.text, q.answers) for q in after]


def test_answers_say_what_the_scene_holds() -> None:
    chair = Furniture("chair", "orange", x=-0.8, y=2.5, yaw=0.0, size=1.0)
    table = Furniture("table", "green", x=0.8, y=2.5, yaw=0.0, size=1.0)
    truth = {
        "What color is the floor?": ("red",),
        "What color are the walls?": ("blue",),
        "What color is the chair?": ("orange",),
        "What furniture is green?": ("table", "green table"),
        "What stands on the left?": ("orange chair", "chair"),
        "What stands on the right?": ("green table", "table"),
        "How many pieces of furniture are there?": ("two",),
        "Is there a bed in the room?": ("no",),
        "Is there a chair in the room?": ("yes",),
        "Is there anything pink in the room?": ("no",),
        "Is there anything blue in the room?": ("yes",),
        "How big is the room?": ("medium",),
        "How many steps is it to the back wall?": ("six steps", "six"),
        "How tall is the chair?": ("chest high",),
        "Can I reach the chair from here?": ("no",),
        "Is the ceiling low?": ("no",),
    }
    seen = set()
    for index in range(1000):
        scene = replace(plain_scene(chair, table), index=index)
        for question in scanqa_questions(with_hidden(scene, coin=index % 2 == 0)):
            if question.text in truth:
                assert question.answers == truth[question.text], question.text
                seen.add(question.text)
    assert seen == set(truth)


@pytest.mark.parametrize(
    ("metres", "answer"),
    [
        (0.4, "knee high"),
        (0.75, None),
        (1.2, "chest high"),
        (1.7, None),
        (2.0, "taller than me"),
    ],
)
def test_height_words(metres: float, answer: str | None) -> None:
    assert height_answer(metres) == answer


def test_reach_and_height_answers_follow_metric_sizes() -> None:
    for scene, question in [*_asked(scanqa_questions, "train"), *_asked(sqa3d_questions, "train")]:
        if question.kind not in ("object_reach", "object_height"):
            continue
        piece = next(p for p in scene.objects if p.category == question.objects[0])
        if question.kind == "object_reach":
            metres = scene.scale * floor_distance(scene, piece)
            assert question.answers == (("yes",) if metres < 1.25 else ("no",))
            assert not 1.25 < metres < 1.30
        else:
            assert question.answers == (height_answer(scene.scale * piece.height),)


def test_floor_distance_by_hand() -> None:
    cabinet = Furniture("cabinet", "green", x=0.0, y=2.0, yaw=0.0, size=1.0)
    assert floor_distance(plain_scene(cabinet), cabinet) == pytest.approx(2.0 - 0.245)
    aside = replace(cabinet, x=1.42)  # the nearest point is the corner at x = 1.0
    assert floor_distance(plain_scene(aside), aside) == pytest.approx((1.0 + 1.755**2) ** 0.5)
