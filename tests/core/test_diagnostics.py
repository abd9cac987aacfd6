from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.diagnostics import Fault, FaultLog, Faults, Location, nearest_word, quoted
from firebreak.policy_language.reading.rules import WRONG_VALUE


def test_a_fault_shows_place_message_nearest_word_line_and_caret() -> None:
    fault = Fault(WRONG_VALUE, Location("10-a.yaml", 5, 3), "there is no fact `x`", "y", "  x: 1")

    assert str(fault) == "10-a.yaml:5:3: there is no fact `x`; did you mean `y`?\n      x: 1\n      ^"


def test_a_fault_without_its_line_is_one_line() -> None:
    assert str(Fault(WRONG_VALUE, Location("a.yaml", 1, 1), "the file is empty")) == "a.yaml:1:1: the file is empty"


def test_faults_come_in_order_of_file_line_and_column() -> None:
    places = [Location("b", 1, 1), Location("a", 2, 1), Location("a", 1, 9), Location("a", 1, 2)]
    faults = Faults(Fault(WRONG_VALUE, at, "wrong") for at in places)

    assert [fault.at for fault in faults.faults] == sorted(places)
    assert str(faults).splitlines()[0] == "a:1:2: wrong"


@pytest.mark.parametrize(
    ("word", "nearest"),
    [("at_last", "at_least"), ("ATLEAST", "at_least"), ("pin", "pin_previous"), ("zzz", None), ("a" * 1000, None)],
)
def test_the_nearest_word_is_the_one_meant_or_none(word: str, nearest: str | None) -> None:
    assert nearest_word(word, {"at_least", "at_most", "pin_previous"}) == nearest


def test_what_a_file_says_cannot_drive_the_terminal_it_is_shown_on() -> None:
    fault = Fault(WRONG_VALUE, Location("a", 1, 1), quoted("\x1b[2J\u202e"), line_text="\x1b[2J")

    assert "\x1b" not in str(fault)
    assert "\u202e" not in str(fault)


def test_a_long_line_is_shown_around_the_place() -> None:
    shown = str(
        Fault(WRONG_VALUE, Location("a", 1, 5001), "wrong", line_text="a" * 5000 + "X" + "b" * 5000)
    ).splitlines()

    assert len(shown[1]) < 130
    assert shown[1][shown[2].index("^")] == "X"


def test_a_log_stops_after_a_hundred_faults_and_says_so() -> None:
    log = FaultLog("a", "line\n" * 500)
    for line in range(1, 301):
        log.add(WRONG_VALUE, log.place(line, 1), "wrong")

    assert len(log.faults) == 101
    assert log.faults[-1].message == "and more faults after this one"


@given(st.text(), st.integers(1, 9), st.integers(1, 9))
def test_every_fault_can_be_shown(text: str, line: int, column: int) -> None:
    log = FaultLog("a", text)
    log.add(WRONG_VALUE, log.place(line, column), quoted(text), text)

    assert str(Faults(log.faults)).startswith(f"a:{line}:{column}: ")
