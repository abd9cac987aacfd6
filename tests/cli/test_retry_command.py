"""Having an incident decided anew, and what the screens say of one that waits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from firebreak.core.incidents.incident import Incident
from tests.cli.commands import Told
from tests.cli.test_answers import UNKNOWN_FILE, at_work
from tests.response.harness import BAD, Line, Lines


@pytest.fixture
def halted(line: Lines, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Line, Incident]]:
    """A finding came while everything was halted."""
    with at_work(line, monkeypatch) as on:
        on.command("halt", reason="a drill")
        yield on, on.respond(on.finding())


@pytest.fixture
def rejected(line: Lines, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Line, Incident]]:
    """A person was asked and said no."""
    with at_work(line, monkeypatch) as on:
        incident = on.respond(on.finding(sha256=UNKNOWN_FILE))
        on.reject(incident)
        yield on, incident


def test_what_was_rejected_is_asked_anew_with_the_reason_on_the_record(
    firebreak: Told, rejected: tuple[Line, Incident]
) -> None:
    on, incident = rejected
    told = firebreak("incident", "retry", incident.id, "--reason", "a slip of mine", "--by", "ada")
    question = on.read(incident).question

    assert told.code == 0, told.err
    assert question is not None
    assert f"  yes   firebreak incident approve {incident.id} --digest {question.digest[:12]}\n" in told.out
    assert ("ada", "asked to decide it anew: a slip of mine") in [
        (one.who, one.what) for one in on.read(incident).history
    ]


def test_every_screen_of_what_was_rejected_says_how_to_have_it_decided_anew(
    firebreak: Told, rejected: tuple[Line, Incident]
) -> None:
    _, incident = rejected
    shown = firebreak("incident", "show", incident.id).out
    approved = firebreak("incident", "approve", incident.id, "--yes")

    assert f"  anew  firebreak incident retry {incident.id}\n" in shown.split("\nFinding\n")[0]
    assert approved.code == 1
    assert f"to have it decided anew: firebreak incident retry {incident.id}" in approved.err


def test_what_waits_says_for_what_and_since_when(firebreak: Told, halted: tuple[Line, Incident]) -> None:
    _, incident = halted
    shown, listed = firebreak("incident", "show", incident.id).out, firebreak("incident", "list").out
    record = firebreak("incident", "show", incident.id, "--json").json

    assert shown.startswith("DEFERRED  ")
    assert "waits for: halted by ada: a drill, for " in shown
    lifted = shown.index("  lift  firebreak resume\n")
    assert lifted < shown.index(f"firebreak incident retry {incident.id}\n"), "which helps only once the halt is lifted"
    assert "waits for 0 s now: halted by ada: a drill" in listed or "waits for 1 s now: " in listed
    assert "1 deferred: firebreak incident show ID" in listed
    assert record["waits_for"] == "halted by ada: a drill"
    assert record["waits_since"] is not None
    assert firebreak("incident", "list", "--phase", "deferred", "--json").json[0]["id"] == incident.id


def test_what_waited_for_a_halt_is_contained_once_it_is_lifted(
    firebreak: Told, halted: tuple[Line, Incident], monkeypatch: pytest.MonkeyPatch
) -> None:
    on, incident = halted
    still = firebreak("incident", "retry", incident.id)
    before = on.read(incident).phase
    firebreak("resume")
    monkeypatch.setenv("VIRUSTOTAL_API_KEY", "key")
    told = firebreak("incident", "retry", incident.id)

    assert (still.code, before) == (1, "deferred"), "nothing was decided, and the exit code says so"
    assert "  lift  firebreak resume\n" in still.out
    assert told.code == 0, told.err
    assert on.read(incident).phase == "contained"
    assert BAD not in on.reachable


def test_what_is_over_is_not_decided_anew(firebreak: Told, rejected: tuple[Line, Incident]) -> None:
    _, incident = rejected
    firebreak("incident", "close", incident.id)
    told = firebreak("incident", "retry", incident.id)

    assert told.code == 1
    assert "nothing is decided anew: the incident is closed" in told.err
