"""One fixture for each benchmark: raw files, answers to them, and numbers worked out by hand.

A new benchmark adds its case to ``CASES``, one without a split to score to ``TRAINING_SETS``.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Case:
    """Raw files of one split (name -> JSON), answers to it, and what must come out.

    ``alone``: what each answer that holds text is worth by itself; the other samples are worth 0.
    ``training`` are raw files of the training split, ``taught`` the answers of its first sample;
    both are empty where the benchmark is trained on another one.
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
    training: dict[str, object] = field(default_factory=dict)
    taught: tuple[str, ...] = ()


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


def _videomme(number: int, kind: str, duration: str, answer: str) -> dict[str, object]:
    return {
        "video_id": "901",
        "duration": duration,
        "domain": "Knowledge",
        "sub_category": "Law",
        "url": "-",
        "videoID": f"toyvid0000{number}",
        "question_id": f"901-{number}",
        "task_type": kind,
        "question": "Which word is on the sign?",
        "options": ["A. Stop.", "B. Go.", "C. Wait.", "D. Turn."],
        "answer": answer,
    }


_SRT = "1\n00:00:01,000 --> 00:00:02,000\nStop.\n"
_VIDEOMME = Case(
    split="test",
    files={
        "videomme/test.json": [
            _videomme(1, "OCR Problems", "short", "A"),
            _videomme(2, "OCR Problems", "medium", "B"),
            _videomme(3, "Counting Problem", "medium", "C"),
            _videomme(4, "Counting Problem", "long", "D"),
            _videomme(5, "OCR Problems", "long", "A"),
        ]
    },
    first_prompt=(
        "Select the best answer to the following multiple-choice question based on the video and "
        "the subtitles. Respond with only the letter (A, B, C, or D) of the correct option.\n"
        "Which word is on the sign?\nA. Stop.\nB. Go.\nC. Wait.\nD. Turn.\n\n"
        "Answer with the option's letter from the given choices directly."
    ),
    # Right; right behind a stock phrase, which is not the plain letter; "Cars" opens with the right
    # letter; blank; none given.
    predictions={"901-1": "A", "901-2": "The answer is B.", "901-3": "Cars", "901-4": " \n"},
    alone={
        "901-1": {"accuracy": 1.0, "strict_accuracy": 1.0},
        "901-2": {"accuracy": 1.0, "strict_accuracy": 0.0},
        "901-3": {"accuracy": 1.0, "strict_accuracy": 0.0},
    },
    metrics={"accuracy": 3 / 5, "strict_accuracy": 1 / 5},
    groups={
        "type": {
            "Counting Problem": {"accuracy": 1 / 2, "strict_accuracy": 0.0},
            "OCR Problems": {"accuracy": 2 / 3, "strict_accuracy": 1 / 3},
        },
        "duration": {
            "long": {"accuracy": 0.0, "strict_accuracy": 0.0},
            "medium": {"accuracy": 1.0, "strict_accuracy": 0.0},
            "short": {"accuracy": 1.0, "strict_accuracy": 1.0},
        },
        "domain": {"Knowledge": {"accuracy": 3 / 5, "strict_accuracy": 1 / 5}},
    },
    missing=1,
    empty=1,
)


def _task(files: dict[str, list[dict[str, object]]], names: tuple[str, ...]) -> dict[str, object]:
    return {f"json/{name}.json": files.get(name, []) for name in names}


def _candidates(candidates: list[str], answer: str, **further: object) -> dict[str, object]:
    item = {"video": "toy_0001.mp4", "question": "What happened after the person sat?"}
    return {**item, "candidates": candidates, "answer": answer, **further}


_MVBENCH_TASKS = (
    "action_sequence",
    "action_prediction",
    "action_antonym",
    "fine_grained_action",
    "unexpected_action",
    "object_existence",
    "object_interaction",
    "object_shuffle",
    "moving_direction",
    "action_localization",
    "scene_transition",
    "action_count",
    "moving_count",
    "moving_attribute",
    "state_change",
    "fine_grained_pose",
    "character_order",
    "egocentric_navigation",
    "episodic_reasoning",
    "counterfactual_inference",
)
_MLVU_FILES = (
    "1_plotQA",
    "2_needle",
    "3_ego",
    "4_count",
    "5_order",
    "6_anomaly_reco",
    "7_topic_reasoning",
)


def _open_question(name: str, question: str, answer: str) -> dict[str, object]:
    said = [
        {"from": "human", "value": f"<image>\n{question}"},
        {"from": "gpt", "value": answer},
    ]
    video = f"academic_source/Toy/{name}.mp4"
    return {"id": name, "video": video, "conversations": said, "data_source": "toy"}


_E = 2.718281828459045


def _meteor(precision: float, recall: float, fragmentation: float) -> float:
    """METEOR 1.5 with its English weights: alpha 0.85, beta 0.20, gamma 0.60, delta 0.75."""
    mean = precision * recall / (0.85 * precision + 0.15 * recall)
    return mean * (1 - 0.60 * math.pow(fragmentation, 0.20))


_MUSIC_AVQA = Case(
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
)

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
    "music_avqa": _MUSIC_AVQA,
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
    "music_avqa_original": replace(
        _MUSIC_AVQA,
        files={"json/avqa-test.json": _MUSIC_AVQA.files["json_update/avqa-test.json"]},
        training={},
        taught=(),
    ),
    "videomme": _VIDEOMME,
    # Another video than the one asked about has subtitles: the prompt goes without, and ends in its
    # own way.
    "videomme_subtitles": replace(
        _VIDEOMME,
        files=_VIDEOMME.files | {"subtitle/toyvid00005.srt": _SRT},
        first_prompt=_VIDEOMME.first_prompt.rpartition("\n\n")[0] + "\nThe best answer is:",
        groups=_VIDEOMME.groups
        | {
            "subtitles": {
                "with subtitles": {"accuracy": 0.0, "strict_accuracy": 0.0},
                "without subtitles": {"accuracy": 3 / 4, "strict_accuracy": 1 / 4},
            }
        },
    ),
    "mvbench": Case(
        split="test",
        files=_task(
            {
                "action_sequence": [
                    _candidates(["Opened a book", "Left", "Slept"], "Left", start=2.0, end=9.5),
                    _candidates(["Opened a book", "Left"], "Opened a book", start=0, end=3),
                ],
                "moving_count": [_candidates(["0", "1", "2", "3"], "3")],
                "scene_transition": [
                    _candidates(["To a", "To b", "To c", "To d", "To e"], "To e"),
                    _candidates(["To a", "To b"], "To a"),
                    _candidates(["To a", "To b"], "To b"),
                ],
            },
            _MVBENCH_TASKS,
        ),
        first_prompt=(
            "Question:What happened after the person sat?\nOption:\n(A) Opened a book\n(B) Left\n"
            "(C) Slept\nOnly give the best option.\n"
        ),
        # Right in brackets; an article that reads as A; right in words; right, the fifth letter;
        # blank; none given.
        predictions={
            "action_sequence-0": "(B) Left",
            "action_sequence-1": "A book is opened",
            "moving_count-0": "It is D",
            "scene_transition-0": "E",
            "scene_transition-1": "",
        },
        alone={
            "action_sequence-0": {"mean_accuracy": 1.0, "accuracy": 1.0, "strict_accuracy": 1.0},
            "action_sequence-1": {"mean_accuracy": 1.0, "accuracy": 1.0, "strict_accuracy": 0.0},
            "moving_count-0": {"mean_accuracy": 1.0, "accuracy": 1.0, "strict_accuracy": 0.0},
            "scene_transition-0": {"mean_accuracy": 1.0, "accuracy": 1.0, "strict_accuracy": 1.0},
        },
        metrics={
            "mean_accuracy": (2 / 2 + 1 / 1 + 1 / 3) / 3,
            "accuracy": 4 / 6,
            "strict_accuracy": 2 / 6,
        },
        groups={
            "type": {
                "action_sequence": {"mean_accuracy": 1.0, "accuracy": 1.0, "strict_accuracy": 0.5},
                "moving_count": {"mean_accuracy": 1.0, "accuracy": 1.0, "strict_accuracy": 0.0},
                "scene_transition": {
                    "mean_accuracy": 1 / 3,
                    "accuracy": 1 / 3,
                    "strict_accuracy": 1 / 3,
                },
            }
        },
        missing=1,
        empty=1,
    ),
    "mlvu": Case(
        split="dev",
        files=_task(
            {
                "1_plotQA": [
                    _candidates(["cup", "key", "pen", "box"], "key", duration=512.0),
                    _candidates(["cup", "key", "pen", "box"], "box", duration=512.0),
                    _candidates(["cup", "key", "pen", "box"], "cup", duration=512.0),
                ],
                "2_needle": [
                    _candidates(["cup", "key", "pen", "box"], "pen", question_type="findNeedle"),
                    _candidates(["cup", "key", "pen", "box"], "cup", question_type="findNeedle"),
                ],
            },
            _MLVU_FILES,
        ),
        first_prompt=(
            "Select the best answer to the following multiple-choice question based on the video. "
            "Respond with only the letter (A, B, C, or D) of the correct option.\n"
            "What happened after the person sat?\n(A) cup\n(B) key\n(C) pen\n(D) box\nAnswer:"
        ),
        # Right; an article, so wrong; blank; right in small; none given.
        predictions={"plotQA-0": "B.", "plotQA-1": "a box", "plotQA-2": "\n", "needle-0": "(c)"},
        alone={
            "plotQA-0": {"mean_accuracy": 1.0, "accuracy": 1.0, "strict_accuracy": 1.0},
            "plotQA-1": {"mean_accuracy": 0.0, "accuracy": 0.0, "strict_accuracy": 0.0},
            "needle-0": {"mean_accuracy": 1.0, "accuracy": 1.0, "strict_accuracy": 0.0},
        },
        metrics={
            "mean_accuracy": (1 / 3 + 1 / 2) / 2,
            "accuracy": 2 / 5,
            "strict_accuracy": 1 / 5,
        },
        groups={
            "type": {
                "needle": {"mean_accuracy": 1 / 2, "accuracy": 1 / 2, "strict_accuracy": 0.0},
                "plotQA": {"mean_accuracy": 1 / 3, "accuracy": 1 / 3, "strict_accuracy": 1 / 3},
            }
        },
        missing=1,
        empty=1,
    ),
}


@dataclass(frozen=True)
class TrainingSet:
    """Raw files of a benchmark that has a training split only, and the answers of each sample."""

    files: dict[str, object]
    taught: list[tuple[str, ...]]


TRAINING_SETS = {
    "llava_video": TrainingSet(
        files={
            f"{name}_v0_1/{name}_oe_v0_1_qa_processed.json": [
                _open_question("v1", "What is in the pan?", f"An egg in {name}."),
                _open_question("v1", "Who cooks?", "A man."),
                _open_question("v1", "Left out?", "Yes."),
            ]
            for name in ("1_2_m_academic", "1_2_m_youtube", "2_3_m_academic", "2_3_m_youtube")
        },
        taught=[
            (text,)
            for name in ("1_2_m_academic", "1_2_m_youtube", "2_3_m_academic", "2_3_m_youtube")
            for text in (f"An egg in {name}.", "A man.")
        ],
    ),
}
