"""Looking at incidents, answering them and taking them back, on the real line over the wire."""

from __future__ import annotations

import getpass
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.record import record
from firebreak.core.stored_body import FORMAT
from sandbox.world import World
from tests.cli.commands import Terminal, Told
from tests.response.answers import no
from tests.response.harness import BAD, GOOD, Line, Lines
from tests.response.test_set_aside import UNREADABLE, Spoil, of_a_newer_version

UNKNOWN_FILE = "ab" * 32


@pytest.fixture
def asked(line: Lines, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Line, Incident]]:
    """A line on which a person is asked, and the incident; the command works on the same world and ledger."""
    with at_work(line, monkeypatch) as on:
        yield on, on.respond(on.finding(sha256=UNKNOWN_FILE))


@contextmanager
def at_work(line: Lines, monkeypatch: pytest.MonkeyPatch, world: World | None = None, **more: str) -> Iterator[Line]:
    with line(world, **more) as on:
        for name, value in on.sandbox.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("FIREBREAK_LEDGER", on.app.settings.ledger)
        monkeypatch.setenv("FIREBREAK_POLICIES", str(on.app.settings.policies))
        monkeypatch.setenv("FIREBREAK_CEILING", "enforce")
        yield on


def history(on: Line, incident: Incident) -> list[tuple[str, str]]:
    return [(entry.who, entry.what) for entry in on.read(incident).history]


def test_approving_shows_the_plan_and_does_it(firebreak: Told, asked: tuple[Line, Incident]) -> None:
    on, incident = asked
    told = firebreak("incident", "approve", incident.id, "--yes", "--by", "ada")

    assert told.code == 0, told.err
    assert "+ checkout-00007-good=100\n" in told.out
    assert f"{incident.id}: contained by pin_previous_revision (ledger {on.app.settings.ledger_path})\n" in told.out
    assert "still open: " in told.out
    assert BAD not in on.reachable
    assert any(who == "ada" and what.startswith("approved") for who, what in history(on, incident))


def test_who_answers_is_by_default_who_is_logged_in(firebreak: Told, asked: tuple[Line, Incident]) -> None:
    on, incident = asked
    firebreak("incident", "approve", incident.id, "--yes")
    me = f"{getpass.getuser()}@{socket.gethostname()}"

    assert (me, f"approved {incident.question.digest[:12]}") in history(on, incident)  # type: ignore[union-attr]


def test_another_digest_approves_nothing(firebreak: Told, asked: tuple[Line, Incident]) -> None:
    on, incident = asked
    told = firebreak("incident", "approve", incident.id, "--digest", "0" * 12)

    assert told.code == 1
    assert on.updates == ()


def test_the_first_digits_of_the_digest_suffice(firebreak: Told, asked: tuple[Line, Incident]) -> None:
    _, incident = asked
    digest = incident.question.digest[:8].upper()  # type: ignore[union-attr]

    assert firebreak("incident", "approve", incident.id, "--digest", digest).code == 0


def test_approving_for_programs_is_one_json_object(firebreak: Told, asked: tuple[Line, Incident]) -> None:
    _, incident = asked
    told = firebreak("incident", "approve", incident.id, "--yes", "--json")

    assert told.code == 0
    assert told.json["exit"] == 0
    assert told.json["incident"]["phase"] == "contained"


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_where_nobody_can_be_asked_an_approval_names_what_was_seen(
    firebreak: Told, asked: tuple[Line, Incident], words: tuple[str, ...]
) -> None:
    """Wrong usage, and a sentence that says what to type; nothing is approved."""
    on, incident = asked
    told = firebreak("incident", "approve", incident.id, *words)
    says = told.json["says"] if words else told.err

    assert told.code == 2
    assert f"say `firebreak incident approve {incident.id} --digest DIGEST`" in says
    assert "--yes" in says
    assert (on.read(incident).phase, on.updates) == ("waiting", ())


def test_a_yes_to_what_is_asked_right_now_prints_its_digest(firebreak: Told, asked: tuple[Line, Incident]) -> None:
    on, incident = asked
    digest = incident.question.digest  # type: ignore[union-attr]
    told = firebreak("incident", "approve", incident.id, "--yes")

    assert f"Question {digest[:12]}, to be answered within" in told.out
    assert on.read(incident).answer.digest == digest  # type: ignore[union-attr]


def test_for_programs_the_digest_that_a_yes_sent_is_in_the_answer(
    firebreak: Told, asked: tuple[Line, Incident]
) -> None:
    _, incident = asked
    told = firebreak("incident", "approve", incident.id, "--yes", "--json")

    assert told.json["digest"] == incident.question.digest  # type: ignore[union-attr]


@pytest.mark.parametrize("words", [("reject",), ("close", "--as", "benign")])
def test_a_no_answers_the_question_that_is_shown_or_named(
    firebreak: Told, asked: tuple[Line, Incident], words: tuple[str, ...]
) -> None:
    on, incident = asked
    other = firebreak("incident", words[0], incident.id, *words[1:], "--digest", "0" * 12)
    waiting = on.read(incident).phase
    told = firebreak("incident", words[0], incident.id, *words[1:])

    assert (other.code, waiting) == (1, "waiting")
    assert "nothing was changed: the question is about" in other.err
    assert told.code == 0
    assert f"Question {incident.question.digest[:12]}, " in told.out  # type: ignore[union-attr]


def closed_unanswered(on: Line, incident: Incident) -> None:
    """Nobody has answered, four times."""
    for _ in range(4):
        on.wait(1900)
        on.sweep()
    assert on.read(incident).phase == "expired"
    on.skipped_ns = 0


def test_a_yes_to_a_question_that_was_closed_is_carried_out_where_a_fresh_look_shows_the_same(
    firebreak: Told, asked: tuple[Line, Incident]
) -> None:
    on, incident = asked
    closed_unanswered(on, incident)
    unseen = firebreak("incident", "approve", incident.id)
    late = firebreak("incident", "approve", incident.id, "--yes")

    assert unseen.code == 2
    assert "closed unanswered: a yes is carried out if a fresh look shows the very same" in late.out
    assert late.code == 0, late.err
    assert on.read(incident).phase == "contained"


def test_a_yes_to_a_question_that_was_closed_asks_anew_where_something_has_changed(
    firebreak: Told, asked: tuple[Line, Incident]
) -> None:
    on, incident = asked
    closed_unanswered(on, incident)
    on.world.set_traffic("checkout", {"revision": BAD, "percent": 50}, {"revision": GOOD, "percent": 50})
    late = firebreak("incident", "approve", incident.id, "--yes")
    question = on.read(incident).question

    assert late.code == 1
    assert question is not None
    assert f"firebreak incident approve {incident.id} --digest {question.digest[:12]}\n" in late.out
    assert on.updates == ()


@pytest.mark.parametrize(("typed", "code"), [("yes\n", 0), ("y\n", 0), ("no\n", 1), ("\n", 1), ("", 1)])
def test_on_a_terminal_only_a_yes_is_a_yes(
    firebreak: Told, asked: tuple[Line, Incident], monkeypatch: pytest.MonkeyPatch, typed: str, code: int
) -> None:
    on, incident = asked
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    told = firebreak("incident", "approve", incident.id)

    assert told.code == code
    assert "Approve? [yes/no]" in told.err
    assert len(on.updates) == (1 if code == 0 else 0)


def test_yes_on_the_command_line_asks_no_more(
    firebreak: Told, asked: tuple[Line, Incident], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, incident = asked
    monkeypatch.setattr(sys, "stdin", Terminal("no\n"))

    assert firebreak("incident", "approve", incident.id, "--yes").code == 0


def test_what_drifted_is_shown_as_the_new_question(firebreak: Told, asked: tuple[Line, Incident]) -> None:
    on, incident = asked
    on.world.set_traffic("checkout", {"revision": BAD, "percent": 50}, {"revision": GOOD, "percent": 50})
    told = firebreak("incident", "approve", incident.id, "--yes")
    again = on.read(incident).question

    assert told.code == 1
    assert on.updates == ()
    assert again is not None
    assert f"Question {again.digest[:12]}, to be answered within" in told.out


def test_nothing_can_be_approved_twice(firebreak: Told, asked: tuple[Line, Incident]) -> None:
    on, incident = asked
    firebreak("incident", "approve", incident.id, "--yes")
    told = firebreak("incident", "approve", incident.id, "--yes")

    assert told.code == 1
    assert "nothing is asked: the incident is contained" in told.err
    assert len(on.updates) == 1


def test_rejecting_is_recorded_with_its_reason_and_happens_once(firebreak: Told, asked: tuple[Line, Incident]) -> None:
    on, incident = asked
    first = firebreak("incident", "reject", incident.id, "--reason", "a test of ours\x1b[2J", "--by", "ada")
    second = firebreak("incident", "reject", incident.id, "--reason", "again")

    assert first.code == 0
    assert second.code == 1
    assert ("ada", "rejected: a test of ours\\u001b[2J") in history(on, incident)
    assert on.updates == ()


def test_an_incident_is_rejected_and_closed_by_its_id_alone(firebreak: Told, asked: tuple[Line, Incident]) -> None:
    """Why, and what it was, may be said; nobody has to look up how in the middle of the night."""
    on, incident = asked
    rejected, closed = firebreak("incident", "reject", incident.id), firebreak("incident", "close", incident.id)

    assert (rejected.code, closed.code) == (0, 0)
    assert on.read(incident).phase == "closed"
    assert [what for _, what in history(on, incident)][-2:] == ["rejected", "closed"]


def test_a_release_puts_everything_back(firebreak: Told, line: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    with at_work(line, monkeypatch) as on:
        before = on.reachable
        incident = on.respond(on.finding())
        told = firebreak("incident", "release", incident.id)
        again = firebreak("incident", "release", incident.id)

        assert told.code == 0
        assert on.reachable == before
        assert again.code == 1
        assert "nothing is contained" in again.err


def test_what_waits_cannot_be_released(firebreak: Told, asked: tuple[Line, Incident]) -> None:
    _, incident = asked

    assert firebreak("incident", "release", incident.id).code == 1


def break_policies(on: Line) -> None:
    (on.app.settings.policies / "10-known-malware.yaml").write_text("nonsense")


def test_with_broken_policies_nothing_is_approved(firebreak: Told, asked: tuple[Line, Incident]) -> None:
    on, incident = asked
    break_policies(on)
    told = firebreak("incident", "approve", incident.id, "--yes")

    assert told.code == 1
    assert "10-known-malware.yaml:1:1: " in told.out
    assert "nothing was done" in told.err
    assert on.updates == ()


def test_a_policy_that_is_gone_contains_nothing_and_the_question_is_shown_once(
    firebreak: Told, asked: tuple[Line, Incident]
) -> None:
    on, incident = asked
    for path in on.app.settings.policies.glob("[0-9]*.yaml"):
        path.unlink()
    told = firebreak("incident", "approve", incident.id, "--yes")

    assert told.code == 1
    place = on.app.settings.ledger_path
    assert told.err == f"{incident.id}: no policy matches (ledger {place})\n"
    assert told.out.count("Asked: ") == 1
    assert on.updates == ()


def test_with_broken_policies_everything_can_be_seen_halted_and_taken_back(
    firebreak: Told, asked: tuple[Line, Incident]
) -> None:
    """The way back must not depend on a file that somebody is just editing."""
    on, incident = asked
    before = on.world.service("checkout").service.traffic_statuses
    firebreak("incident", "approve", incident.id, "--yes")
    break_policies(on)
    codes = [
        firebreak(*words).code
        for words in (
            ("incident", "list"),
            ("incident", "show", incident.id),
            ("halt", "--reason", "x"),
            ("incident", "release", incident.id),
            ("resume",),
        )
    ]

    assert codes == [0, 0, 0, 0, 0]
    assert on.read(incident).phase == "released"
    assert on.world.service("checkout").service.traffic_statuses == before


def test_a_question_can_be_rejected_without_policies(firebreak: Told, asked: tuple[Line, Incident]) -> None:
    on, incident = asked
    break_policies(on)
    told = firebreak("incident", "reject", incident.id, "--reason", "no")

    assert told.code == 0
    assert "goes on without them" in told.err


def test_what_programs_see_is_the_record(firebreak: Told, asked: tuple[Line, Incident]) -> None:
    on, incident = asked
    whole = record(on.read(incident)) | {"ledger": str(on.app.settings.ledger_path)}

    assert firebreak("incident", "show", incident.id, "--json").json == whole
    assert firebreak("incident", "list", "--json").json == [whole]


def test_the_beginning_of_an_id_suffices_while_only_one_begins_so(
    firebreak: Told, asked: tuple[Line, Incident]
) -> None:
    on, incident = asked
    short = firebreak("incident", "show", incident.id[:7], "--json")
    bare = firebreak("incident", "show", incident.id[3:9], "--json")
    on.respond(on.finding(finding_id="another"))
    both = firebreak("incident", "show", "fb-")

    assert short.json["id"] == bare.json["id"] == incident.id
    assert both.code == 1
    assert "fits 2 incidents" in both.err
    assert incident.id in both.err


def test_the_list_is_narrowed_by_phase_and_number(firebreak: Told, asked: tuple[Line, Incident]) -> None:
    on, incident = asked
    contained = on.respond(on.finding(finding_id="another", workload="services/checkout"))

    def listed(*words: str) -> list[Any]:
        return [one["id"] for one in firebreak("incident", "list", "--json", *words).json]

    assert listed() == [contained.id, incident.id]
    assert listed("--limit", "1") == [contained.id]
    assert listed("--phase", "waiting", "--limit", "1") == [incident.id]
    assert listed("--phase", "closed") == []


def test_the_list_is_narrowed_by_place_policy_age_and_words(firebreak: Told, asked: tuple[Line, Incident]) -> None:
    on, incident = asked
    other = on.respond(on.finding(finding_id="another", workload="services/elsewhere"))

    def listed(*words: str) -> set[str]:
        return {one["id"] for one in firebreak("incident", "list", "--json", *words).json}

    assert listed("--service", "checkout") == {incident.id}
    assert listed("--service", "elsewhere") == {other.id}
    assert listed("--project", "shop-prod") == {incident.id, other.id}
    assert listed("--project", "shop") == set()
    assert listed("--policy", "known-malware-on-service", "--service", "checkout") == {incident.id}
    assert listed("--policy", "none") == set()
    assert listed("--since", "5m") == {incident.id, other.id}
    assert listed("--search", "ASKS a person", "--phase", "waiting,closed") == {incident.id}
    assert listed("--search", "nobody says this") == set()


def test_what_is_open_is_listed_before_what_has_ended(firebreak: Told, asked: tuple[Line, Incident]) -> None:
    on, incident = asked
    failed = on.respond(on.finding(finding_id="another", workload="services/elsewhere"))
    no(on, incident)
    told = firebreak("incident", "list").out

    assert [on.read(one).open for one in (failed, incident)] == [True, False]
    assert told.index(failed.id) < told.index(incident.id)


def test_a_misspelt_filter_is_answered_with_the_word_that_is_meant(firebreak: Told) -> None:
    phase, age = firebreak("incident", "list", "--phase", "waitng"), firebreak("incident", "list", "--since", "week")

    assert (phase.code, age.code) == (2, 2)
    assert "did you mean waiting?" in phase.err
    assert "such as 24h or 7d" in age.err


def test_an_id_is_found_in_capitals_and_with_the_full_stop_of_a_sentence(
    firebreak: Told, asked: tuple[Line, Incident]
) -> None:
    for typed in (asked[1].id.upper(), f"{asked[1].id}.", asked[1].id.removeprefix("fb-")):
        assert firebreak("incident", "show", typed, "--json").json["id"] == asked[1].id


def test_a_record_that_somebody_changed_is_shown_as_such_and_not_carried_out(
    firebreak: Told, asked: tuple[Line, Incident]
) -> None:
    on, incident = asked
    held = on.app.ledger.read(incident.id)
    assert held is not None
    on.app.ledger.documents.replace(held.document, {**held.document.body, "seal": "forged"})
    shown, listed = firebreak("incident", "show", incident.id), firebreak("incident", "list", "--phase", "closed")
    approved = firebreak("incident", "approve", incident.id, "--yes")

    assert "changed by somebody without the seal key" in shown.out
    assert "ITS SEAL IS BROKEN" in listed.out, "whatever phase it claims to be in"
    assert approved.code == 1
    assert on.updates == ()


def test_an_incident_that_another_is_at_work_on_is_3(firebreak: Told, asked: tuple[Line, Incident]) -> None:
    on, incident = asked
    theirs = replace(on.app.ledger, owner="another")
    theirs.take(incident.id)
    told = firebreak("incident", "reject", incident.id, "--reason", "no")

    assert told.code == 3
    assert "is being worked on" in told.err


@pytest.mark.parametrize("spoil", UNREADABLE)
def test_an_incident_that_cannot_be_read_is_named_in_the_list_and_when_it_is_asked_for(
    firebreak: Told, asked: tuple[Line, Incident], spoil: Spoil
) -> None:
    """It hides nothing else, and no command acts on it."""
    on, incident = asked
    other = on.respond(on.finding(finding_id="another", workload="services/checkout"))
    spoil(on, "incident", incident.id)
    listed, programs = firebreak("incident", "list"), firebreak("incident", "list", "--json")
    told = [
        firebreak("incident", *words)
        for words in (("show", incident.id), ("approve", incident.id), ("release", incident.id), ("close", incident.id))
    ]

    assert f"incident {incident.id} cannot be read" in " ".join(listed.out.split())
    assert other.id in listed.out
    assert {one["id"] for one in programs.json} == {incident.id, other.id}
    assert [one.code for one in told] == [1] * 4
    assert all(f"incident {incident.id} cannot be read" in one.err for one in told)


def test_an_incident_of_a_newer_version_is_shown_and_not_acted_on(
    firebreak: Told, asked: tuple[Line, Incident]
) -> None:
    """With the plan and the lines to undo it; each refusal names both versions and what to do."""
    on, incident = asked
    of_a_newer_version(on, "incident", incident.id)
    listed, shown = firebreak("incident", "list"), firebreak("incident", "show", incident.id)
    told = [
        firebreak("incident", *words)
        for words in (
            ("approve", incident.id, "--yes"),
            ("reject", incident.id),
            ("release", incident.id),
            ("review", incident.id),
            ("close", incident.id),
        )
    ]

    assert incident.id in listed.out
    assert "deferred" in listed.out
    assert "gcloud run services" in shown.out
    assert f"only versions that know format {FORMAT + 1} may act" in " ".join(shown.out.split())
    assert [one.code for one in told] == [1] * 5
    assert all("Deploy the version that saved it again, or undo by hand" in one.err for one in told)
    assert on.updates == ()
