from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynx.errors import InputError
from lynx.metrics.cleaning import clean_answer, has_content
from lynx.metrics.exact_match import ExactMatch, Match, exact_match, match

WORDS = st.text(alphabet="abt 2'-.\n", max_size=12)


def test_refined_looks_in_both_directions_without_whitespace() -> None:
    assert match("chair", ["a brown chair"]) == Match(em=False, refined=True)
    assert match("the old brown chair here", ["brown chair"]) == Match(em=False, refined=True)
    assert match("book shelf", ["bookshelf"]) == Match(em=False, refined=True)
    assert match("lamp", ["brown chair", "desk"]) == Match(em=False, refined=False)


def test_any_reference_will_do() -> None:
    assert match("lamp", ["desk", "the lamp"]) == Match(em=True, refined=True)


@pytest.mark.parametrize("blank", ["", "   ", ".", "?!", " \n", "é", "-"])
def test_nothing_left_after_cleaning_matches_nothing(blank: str) -> None:
    nothing = Match(em=False, refined=False)
    assert match(blank, ["chair"]) == nothing
    assert match("chair", [blank]) == nothing
    assert match(blank, [blank]) == nothing
    assert match("chair", [blank, "chair"]) == Match(em=True, refined=True)


@given(WORDS, st.lists(WORDS, max_size=3))
def test_exact_implies_refined_and_needs_content(prediction: str, references: list[str]) -> None:
    result = match(prediction, references)
    assert result.refined or not result.em
    assert has_content(prediction) or not result.refined
    assert result.em == (
        has_content(prediction) and clean_answer(prediction) in map(clean_answer, references)
    )


@given(WORDS, WORDS)
def test_refined_is_symmetric(one: str, other: str) -> None:
    assert match(one, [other]) == match(other, [one])


def test_missing_and_empty_predictions_stay_in_the_denominator() -> None:
    references = {"a": ["chair"], "b": ["table"], "c": ["two"], "d": ["lamp"], "e": ["x"]}
    predictions = {"a": "the chair", "b": "round table", "c": " ", "d": ""}
    assert exact_match(predictions, references) == ExactMatch(
        em=1 / 5, em_refined=2 / 5, count=5, missing=1, empty=2
    )


def test_predictions_of_another_split_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        exact_match({"val-2": "a", "val-1": "b", "test-1": "c"}, {"test-1": ["c"]})
    assert str(caught.value) == (
        "prediction 'val-1' (and 1 more) belongs to none of the 1 annotated items; score "
        "predictions of this benchmark and split"
    )


def test_nothing_to_score_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        exact_match({}, {})
    assert str(caught.value) == (
        "no annotated items to score: found 0, expected at least 1; check the split"
    )
