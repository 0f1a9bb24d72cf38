"""One fixture for each benchmark: raw files, answers to them, and numbers worked out by hand.

A new benchmark adds its case to ``CASES``.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """Raw files of one split (name -> JSON), answers to it, and what must come out.

    ``alone``: what each answer that holds text is worth by itself; the other samples are worth 0.
    ``training`` are raw files of the training split, ``taught`` the answers of its first sample.
    """

    split: str
    files: dict[str, object]
    first_prompt: str
    predictions: dict[str, str]
    alone: dict[str, dict[str, float]]
    metrics: dict[str, float]
    groups: dict[str, dict[str, dict[str, float]]]
    missing: int
    empty: int
    training: dict[str, object]
    taught: tuple[str, ...]


def _scanqa(number: int, question: str, answers: list[str]) -> dict[str, object]:
    return {
        "scene_id": "scene0011_00",
        "question_id": f"val-scene0011-{number}",
        "question": question,
        "answers": answers,
    }


def _sqa3d(split: str, texts: list[tuple[str, str]]) -> dict[str, object]:
    scene = "scene0380_00"
    numbered = [(220602000000 + number, *pair) for number, pair in enumerate(texts)]
    return {
        f"v1_balanced_questions_{split}_scannetv2.json": {
            "questions": [
                {
                    "scene_id": scene,
                    "question_id": number,
                    "situation": "I face the door.",
                    "question": question,
                }
                for number, question, _ in numbered
            ]
        },
        f"v1_balanced_sqa_annotations_{split}_scannetv2.json": {
            "annotations": [
                {"scene_id": scene, "question_id": number, "answers": [{"answer": answer}]}
                for number, _, answer in numbered
            ]
        },
    }


def _avqa(
    number: int, options: list[str | None], answer: int, kind: str, relation: str
) -> dict[str, object]:
    return {
        "id": number,
        "video_name": "aBcDeFgHiJk_000030",
        "video_id": 12,
        "question_text": "Which animal makes the sound?",
        "multi_choice": options,
        "answer": answer,
        "question_relation": relation,
        "question_type": kind,
    }


def _music(
    number: int, kind: list[str], question: str, values: list[str], answer: str
) -> dict[str, object]:
    return {
        "video_id": "00009999",
        "question_id": number,
        "type": json.dumps(kind),
        "question_content": question,
        "templ_values": json.dumps(values),
        "question_deleted": 0,
        "anser": answer,
    }


def _avsd(video: str, answer: str) -> dict[str, object]:
    return {
        "image_id": video,
        "caption": "a room",
        "summary": "people in a room",
        "dialog": [
            {"question": "how many people ?", "answer": "just one ."},
            {"question": "what happens ?", "answer": answer},
        ],
    }


_LEVELS = "In this video a person dances. Choose a level. Example Output: Early Expert"


def _record(take: str, label: str) -> dict[str, object]:
    said = [{"from": "human", "value": f"<image>\n{_LEVELS}"}, {"from": "gpt", "value": label}]
    return {"id": take, "video": take, "conversations": said}


def _take(take: str, scenario: str, label: str) -> dict[str, object]:
    folder = f"takes/{take}/frame_aligned_videos"
    return {
        "take_uid": take,
        "scenario_name": scenario,
        "proficiency_score": label,
        "video_paths": {"exo1": f"{folder}/cam01.mp4", "ego": f"{folder}/aria_214-1.mp4"},
    }


_E = 2.718281828459045


def _meteor(precision: float, recall: float, fragmentation: float) -> float:
    """METEOR 1.5 with its English weights: alpha 0.85, beta 0.20, gamma 0.60, delta 0.75."""
    mean = precision * recall / (0.85 * precision + 0.15 * recall)
    return mean * (1 - 0.60 * math.pow(fragmentation, 0.20))


CASES = {
    "scanqa": Case(
        split="val",
        files={
            "ScanQA_v1.0_val.json": [
                _scanqa(0, "What is left of the bed?", ["a brown chair", "seat"]),
                _scanqa(1, "How many lamps are there?", ["2"]),
                _scanqa(2, "What is on the table?", ["white monitor"]),
                _scanqa(3, "What color is it?", ["black & white"]),
            ],
            "ScanQA_v1.0_val.tags.json": {
                "val-scene0011-0": {"needs": "depth"},
                "val-scene0011-1": {"needs": "colour"},
                "val-scene0011-2": {"needs": "depth"},
            },
        },
        first_prompt="What is left of the bed?",
        # Cleaned: "brown chair" right, "three" wrong, "monitor" refined, none given.
        predictions={
            "val-scene0011-0": "The brown chair.",
            "val-scene0011-1": "3",
            "val-scene0011-2": "monitor",
        },
        alone={
            "val-scene0011-0": {"em": 1.0, "em_refined": 1.0, "bleu1": 1.0, "rouge_l": 1.0},
            "val-scene0011-1": {"em": 0.0, "em_refined": 0.0, "bleu1": 0.0, "rouge_l": 0.0},
            "val-scene0011-2": {"em": 0.0, "em_refined": 1.0, "bleu1": _E ** (1 - 2)},
        },
        metrics={
            "em": 1 / 4,
            "em_refined": 2 / 4,
            # 4 words, 3 of them right; the closest references have 2 + 1 + 2 + 2 words.
            "bleu1": 3 / 4 * _E ** (1 - 7 / 4),
            # 1 pair of words, right; the geometric mean with the words.
            "bleu2": (3 / 4) ** 0.5 * _E ** (1 - 7 / 4),
            # No triple predicted: the scorer takes 1e-6 for triples and for quadruples.
            "bleu3": (3 / 4 * 1e-6) ** (1 / 3) * _E ** (1 - 7 / 4),
            "bleu4": (3 / 4 * 1e-12) ** (1 / 4) * _E ** (1 - 7 / 4),
            "meteor": _meteor(
                precision=3 / 4,
                # Content words weigh 0.75, function words 0.25: "two" is one of these.
                recall=3 * 0.75 / (6 * 0.75 + 0.25),
                # "monitor" is a chunk; an answer that equals its reference has none.
                fragmentation=1 / 3,
            ),
            # Item 0: 1. Item 2: precision 1, recall 1/2, beta 1.2.
            "rouge_l": (1 + (1 + 1.44) * 0.5 / (0.5 + 1.44)) / 4,
            # "brown chair" against itself: cosine 1 for words and pairs, of 4 lengths; against
            # "seat": 0. "monitor" against "white monitor": "white" is in 2 of 4 items (idf log 2),
            # "monitor" in 1 (idf log 4 = 2 log 2); cosine 2 / sqrt(5) for words; the prediction
            # has one pair of words less, which costs exp(-1 / 72).
            "cider": 10 * (2 / 4 / 2 + 2 / 5**0.5 * _E ** (-1 / 72) / 4) / 4,
        },
        groups={
            "needs": {
                "colour": {"em": 0.0, "em_refined": 0.0, "rouge_l": 0.0, "cider": 0.0},
                "depth": {"em": 1 / 2, "em_refined": 1.0, "bleu1": _E ** (1 - 4 / 3)},
            }
        },
        missing=1,
        empty=0,
        training={
            "ScanQA_v1.0_train.json": [_scanqa(0, "What is it?", ["a brown chair", "seat"])],
        },
        taught=("a brown chair",),
    ),
    "sqa3d": Case(
        split="test",
        files=_sqa3d(
            "test",
            [
                ("What is behind me?", "brown chair"),
                ("Is the door open?", "yes"),
                ("How many lamps are left?", "two"),
                ("Is it dark?", "no"),
                ("where is the lamp?", "left"),
            ],
        )
        | {
            "v1_balanced_questions_test_scannetv2.tags.json": {
                "220602000000": {"needs": "depth"},
                "220602000001": {"needs": "depth"},
                "220602000004": {"needs": "colour"},
            },
        },
        first_prompt="I face the door. What is behind me?",
        # Right after the cleaning; refined; blank; none given; right by a repaired misspelling.
        predictions={
            "220602000000": "the brown chair",
            "220602000001": "yes it is",
            "220602000002": " ",
            "220602000004": "Letf",
        },
        alone={
            "220602000000": {"em": 1.0, "em_refined": 1.0},
            "220602000001": {"em": 0.0, "em_refined": 1.0},
            "220602000004": {"em": 1.0, "em_refined": 1.0},
        },
        metrics={"em": 2 / 5, "em_refined": 3 / 5},
        groups={
            "type": {
                "How": {"em": 0.0, "em_refined": 0.0},
                "Is": {"em": 0.0, "em_refined": 1 / 2},
                "Other": {"em": 1.0, "em_refined": 1.0},
                "What": {"em": 1.0, "em_refined": 1.0},
            },
            "needs": {
                "colour": {"em": 1.0, "em_refined": 1.0},
                "depth": {"em": 1 / 2, "em_refined": 1.0},
            },
        },
        missing=1,
        empty=1,
        training=_sqa3d("train", [("What is behind me?", "brown chair")]),
        taught=("brown chair",),
    ),
    "avqa": Case(
        split="val",
        files={
            "val_qa.json": [
                _avqa(7, ["dog", "goat", "parrot", None], 1, "Which", "Both"),
                _avqa(8, ["dog", "goat", "parrot", "horse"], 2, "Which", "Sound"),
                _avqa(9, ["dog", "goat", "parrot", "horse"], 0, "Come From", "Both"),
                _avqa(10, ["dog", "goat", "parrot", "horse"], 3, "Come From", "Sound"),
                _avqa(11, ["dog", "goat", "parrot", "horse"], 0, "Which", "Sound"),
            ]
        },
        first_prompt=(
            "Select the best answer to the following multiple-choice question based on the video "
            "and the subtitles. Respond with only the letter (A, B, C, or D) of the correct "
            "option.\nWhich animal makes the sound?\nA.dog\nB.goat\nC.parrot\nD.None\n"
            "Answer with the option's letter from the given choices directly."
        ),
        # Right; right in brackets with its option; no plain choice; blank; none given.
        predictions={"7": "B", "8": "(C) parrot", "9": "A dog is at B", "10": "\n"},
        alone={"7": {"accuracy": 1.0}, "8": {"accuracy": 1.0}, "9": {"accuracy": 0.0}},
        metrics={"accuracy": 2 / 5},
        groups={
            "type": {"Come From": {"accuracy": 0.0}, "Which": {"accuracy": 2 / 3}},
            "relation": {"Both": {"accuracy": 1 / 2}, "Sound": {"accuracy": 1 / 3}},
        },
        missing=1,
        empty=1,
        training={"train_qa.json": [_avqa(1, ["dog", "goat", "cow", "pig"], 3, "Which", "Both")]},
        taught=("D",),
    ),
    "music_avqa": Case(
        split="test",
        files={
            "json_update/avqa-test.json": [
                _music(
                    1,
                    ["Audio-Visual", "Counting"],
                    "How many sounding <Object> in the video?",
                    ["flute"],
                    "two",
                ),
                _music(2, ["Visual", "Location"], "Where is the performer?", [], "left"),
                _music(3, ["Audio-Visual", "Existential"], "Is this sound off-screen?", [], "no"),
                _music(4, ["Visual", "Counting"], "How many <Object>?", ["drum"], "one"),
                _music(5, ["Audio", "Comparative"], "Is it louder?", [], "yes"),
                _music(6, ["Audio-Visual", "Temporal"], "What is first?", [], "acoustic_guitar"),
            ]
        },
        first_prompt="How many sounding flute in the video?",
        # Right; the right word among others; "no" inside a word; blank; none given; as it is
        # spoken, without the underscore that the substring rule looks for.
        predictions={
            "1": "Two.",
            "2": "on the left",
            "3": "piano",
            "4": " ",
            "6": "Acoustic guitar.",
        },
        alone={
            "1": {"substring_accuracy": 1.0, "exact_accuracy": 1.0},
            "2": {"substring_accuracy": 1.0, "exact_accuracy": 0.0},
            "3": {"substring_accuracy": 1.0, "exact_accuracy": 0.0},
            "6": {"substring_accuracy": 0.0, "exact_accuracy": 1.0},
        },
        metrics={"substring_accuracy": 3 / 6, "exact_accuracy": 2 / 6},
        groups={
            "type": {
                "Audio Comparative": {"substring_accuracy": 0.0, "exact_accuracy": 0.0},
                "Audio-Visual Counting": {"substring_accuracy": 1.0, "exact_accuracy": 1.0},
                "Audio-Visual Existential": {"substring_accuracy": 1.0, "exact_accuracy": 0.0},
                "Audio-Visual Temporal": {"substring_accuracy": 0.0, "exact_accuracy": 1.0},
                "Visual Counting": {"substring_accuracy": 0.0, "exact_accuracy": 0.0},
                "Visual Location": {"substring_accuracy": 1.0, "exact_accuracy": 0.0},
            },
            "scenario": {
                "Audio": {"substring_accuracy": 0.0, "exact_accuracy": 0.0},
                "Audio-Visual": {"substring_accuracy": 2 / 3, "exact_accuracy": 2 / 3},
                "Visual": {"substring_accuracy": 1 / 2, "exact_accuracy": 0.0},
            },
        },
        missing=1,
        empty=1,
        training={
            "json_update/avqa-train.json": [
                _music(1, ["Visual", "Location"], "Where is the <Object>?", ["drum"], "left")
            ]
        },
        taught=("left",),
    ),
    "avsd": Case(
        split="test",
        files={
            "mock_test_set4DSTC10-AVSD_from_DSTC7_singref.json": {
                "dialogs": [
                    _avsd("A1", "man opens red door ."),
                    _avsd("B2", "yes , slowly"),
                    _avsd("C3", "woman folds blue towels"),
                    _avsd("D4", "nobody talks"),
                ]
            }
        },
        first_prompt="how many people ?",
        # The reference but for capitals and a full stop; blank; an article that no cleaning drops
        # and half of the reference; none given.
        predictions={"A1": "Man opens RED door", "B2": "\t", "C3": "the woman folds"},
        alone={
            "A1": {"bleu1": 1.0, "bleu4": 1.0, "rouge_l": 1.0, "cider": 10.0},
            # 2 of 3 words, 1 of 2 pairs; the reference has 4 words.
            "C3": {"bleu1": 2 / 3 * _E ** (1 - 4 / 3), "bleu2": (1 / 3) ** 0.5 * _E ** (1 - 4 / 3)},
        },
        metrics={
            # 4 + 3 words against 4 + 2 + 4 + 2; right are 6 of 7 words, 4 of 5 pairs, 2 of 3
            # triples and the one quadruple.
            "bleu1": 6 / 7 * _E ** (1 - 12 / 7),
            "bleu2": (6 / 7 * 4 / 5) ** 0.5 * _E ** (1 - 12 / 7),
            "bleu3": (6 / 7 * 4 / 5 * 2 / 3) ** (1 / 3) * _E ** (1 - 12 / 7),
            "bleu4": (6 / 7 * 4 / 5 * 2 / 3) ** (1 / 4) * _E ** (1 - 12 / 7),
            "meteor": _meteor(
                # "the" is the only function word, which weighs 0.25 where others weigh 0.75.
                precision=6 * 0.75 / (6 * 0.75 + 0.25),
                recall=6 / 12,
                # "woman folds" is a chunk; the answer that equals its reference has none.
                fragmentation=1 / 6,
            ),
            # A1: 1. C3: precision 2/3, recall 2/4, beta 1.2.
            "rouge_l": (1 + 2.44 * (2 / 3) * 0.5 / (0.5 + 1.44 * 2 / 3)) / 4,
            # A1: cosine 1 for all 4 lengths. C3: each word and pair is in one item at most, so all
            # weigh the same; 2 words of 3 and 4 give the cosine 2 / sqrt(12), 1 pair of 2 and 3
            # gives 1 / sqrt(6); one pair less costs exp(-1 / 72).
            "cider": 10 * (1 + (2 / 12**0.5 + 1 / 6**0.5) / 4 * _E ** (-1 / 72)) / 4,
        },
        groups={},
        missing=1,
        empty=1,
        training={
            "avsd_train.json": {
                "A1": {
                    "data": [{"question": f"q{n} ?", "answer": f"a{n} ."} for n in range(1, 7)],
                    "caption": "a room",
                }
            }
        },
        taught=("a1 .", "a2 .", "a3 .", "a4 .", "a5 ."),
    ),
    "egoexo": Case(
        split="val",
        files={
            "proficiency_demonstrator_train_instruct.json": [_record("t0", "Novice")],
            "proficiency_demonstrator_val.json": {
                "annotations": [
                    _take("t1", "Dance", "Early Expert"),
                    _take("t2", "Dance", "Late Expert"),
                    _take("t3", "Cooking", "Novice"),
                    _take("t4", "Cooking", "Intermediate Expert"),
                    _take("t5", "Music", "Novice"),
                    _take("t6", "Music", "Early Expert"),
                ]
            },
        },
        first_prompt=_LEVELS,
        # Right; right in lower case; two classes named; blank; none given; right with a line break,
        # which the substring rule does not see through.
        predictions={
            "t1": "Early Expert.",
            "t2": "a late expert",
            "t3": "Novice or Early Expert",
            "t4": "",
            "t6": "Early\nExpert",
        },
        alone={
            "t1": {"accuracy": 1.0, "substring_accuracy": 1.0},
            "t2": {"accuracy": 1.0, "substring_accuracy": 0.0},
            "t3": {"accuracy": 0.0, "substring_accuracy": 1.0},
            "t6": {"accuracy": 1.0, "substring_accuracy": 0.0},
        },
        metrics={"accuracy": 3 / 6, "substring_accuracy": 2 / 6},
        groups={
            "scenario": {
                "Cooking": {"accuracy": 0.0, "substring_accuracy": 1 / 2},
                "Dance": {"accuracy": 1.0, "substring_accuracy": 1 / 2},
                "Music": {"accuracy": 1 / 2, "substring_accuracy": 0.0},
            }
        },
        missing=1,
        empty=1,
        training={
            "proficiency_demonstrator_train_instruct.json": [_record("t7", "Late Expert")],
            "proficiency_demonstrator_train.json": {
                "annotations": [_take("t7", "Dance", "Late Expert")]
            },
        },
        taught=("Late Expert",),
    ),
}
