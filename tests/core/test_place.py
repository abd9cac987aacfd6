"""Where something went wrong, in our own code."""

from __future__ import annotations

import json

import pytest

from firebreak.core.code_location import kind_and_place, place


def raised(work: str) -> Exception:
    try:
        json.loads(work)
    except ValueError as fault:
        return fault
    raise AssertionError


def test_the_place_is_ours_also_where_a_library_of_others_raised() -> None:
    assert kind_and_place(raised("{")) == "JSONDecodeError at tests/core/test_place.py:14"


def test_of_a_file_that_is_no_python_it_is_in_that_file() -> None:
    with pytest.raises(SyntaxError) as told:
        compile("x = (\n", "/elsewhere/torn.py", "exec")

    assert place(told.value) == "torn.py:1"


def test_what_was_never_raised_has_none() -> None:
    assert place(ValueError("x")) == "?:0"
