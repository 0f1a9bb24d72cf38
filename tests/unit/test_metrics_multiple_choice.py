from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynx.errors import InputError
from lynx.metrics.multiple_choice import Accuracy, accuracy, class_of, letter_of
from lynx.metrics.substring import contains, contains_any_case, equals, normalise

LETTERS = ("A", "B", "C", "D")
CLASSES = ("Novice", "Early Expert", "Intermediate Expert", "Late Expert")


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "B"),
        (" B", "B"),
        ("B\n", "B"),
        ("B.", "B"),
        ("B)", "B"),
        ("(B)", "B"),
        ("B: goat", "B"),
        ("B. goat, because A is a dog", "B"),
        ("B.goat\nA.dog", "B"),
        ("b", None),
        ("E", None),
        ("AB", None),
        ("A dog is at B", None),
        ("a", None),
        ("Answer: C", None),
        ("goat", None),
        ("", None),
        (" \n", None),
        ("()", None),
    ],
)
def test_a_letter_is_read_only_where_it_is_plain(text: str, letter: str | None) -> None:
    assert letter_of(text, LETTERS) == letter


@given(st.sampled_from(LETTERS), st.sampled_from(["", " ", "\n"]), st.sampled_from(["", ".", ")"]))
def test_what_the_letter_rule_predicts_is_read_back(letter: str, before: str, after: str) -> None:
    assert letter_of(before + letter + after, LETTERS) == letter


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Early Expert", "Early Expert"),
        ("early expert.", "Early Expert"),
        ("The level is:\nLate  Expert", "Late Expert"),
        ("Novice", "Novice"),
        ("2. Early Expert", "Early Expert"),
        ("Novice, Novice", "Novice"),
        ("Expert", None),
        ("Early", None),
        ("Novices", None),
        ("Early Expert or Late Expert", None),
        ("EarlyExpert", None),
        ("", None),
        ("  ", None),
    ],
)
def test_a_class_is_read_only_where_it_is_the_only_one(text: str, name: str | None) -> None:
    assert class_of(text, CLASSES) == name


@pytest.mark.parametrize(
    ("prediction", "gold", "substring", "exact"),
    [
        ("yes", "yes", True, True),
        ("Yes.", "yes", True, True),
        ("piano", "no", True, False),
        ("saxophone", "one", True, False),
        ("not", "no", True, False),
        ("acoustic guitar", "acoustic_guitar", False, True),
        ("Acoustic_Guitar", "acoustic_guitar", True, True),
        ("more than  ten", "more than ten", False, True),
        ("more than ten", "ten", True, False),
        ("the flute", "flute", True, False),
        ("2", "two", False, False),
        ("violin", "cello", False, False),
    ],
)
def test_substring_is_lenient_and_the_exact_rule_is_not(
    prediction: str, gold: str, substring: bool, exact: bool
) -> None:
    assert contains_any_case(prediction, gold) is substring
    assert equals(prediction, gold) is exact


def test_the_released_substring_of_classes_minds_the_case() -> None:
    assert contains("It is Early Expert.", "Early Expert")
    assert not contains("early expert", "Early Expert")


@given(st.text(alphabet="aB _.,'\n", max_size=10))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


def test_missing_and_blank_predictions_are_wrong_whatever_the_rule_says() -> None:
    gold = {"a": "yes", "b": "no", "c": "two", "d": "two", "e": " x"}
    predictions = {"a": "Yes", "b": "piano", "c": " ", "d": ""}
    always = {"any": lambda text, answer: True, "substring": contains_any_case, "exact": equals}
    assert accuracy(predictions, gold, always) == Accuracy(
        values={"any": 2 / 5, "substring": 2 / 5, "exact": 1 / 5}, count=5, missing=1, empty=2
    )


def test_a_blank_gold_answer_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        accuracy({"a": ""}, {"a": " "}, {"substring": contains})
    assert str(caught.value) == (
        "item 'a': found a blank gold answer, expected text; correct or leave out the item in the "
        "annotation"
    )


def test_predictions_of_another_split_are_refused() -> None:
    with pytest.raises(InputError, match=r"prediction 'b' \(and 0 more\) belongs to none of the 1"):
        accuracy({"b": "x"}, {"a": "x"}, {"substring": contains})


def test_nothing_to_score_is_refused() -> None:
    with pytest.raises(InputError, match="no annotated items to score"):
        accuracy({}, {}, {"substring": contains})
