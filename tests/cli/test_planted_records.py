"""Whoever may write the ledger has a person answer nothing but what is asked under the name that they typed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from firebreak.core.incidents.incident import Incident
from firebreak.core.policy.compiled import compiled, sources_digest
from firebreak.doctor.checks.ledger import check
from firebreak.doctor.result import Examined, Fault
from firebreak.ledger.documents import Index
from firebreak.policy_folder import COMPILED, read_folder, read_yaml_policies
from firebreak.ports.deadline import Deadline
from tests.backtest.histories import POLICY, policies_in
from tests.cli.commands import Told
from tests.cli.test_answers import UNKNOWN_FILE, at_work
from tests.response.harness import Line, Lines
from tests.response.intruder import Intruder, record_of, with_record

DECOY = "fb-00000000000000aa"
SHELL = "fb-1;touch${IFS}pwned"


def planted(on: Line, key: str, body: Mapping[str, Any]) -> None:
    on.app.ledger.documents.create("incident", key, body, Index())


def asking(on: Line) -> Incident:
    incident = on.respond(on.finding(sha256=UNKNOWN_FILE))
    assert incident.phase == "waiting"
    return incident


def test_a_record_that_speaks_of_another_incident_answers_nothing_there(
    firebreak: Told, line: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    with at_work(line, monkeypatch) as on:
        real = asking(on)
        planted(on, DECOY, Intruder(on).reads("incident", real.id).body)
        for verb in ("approve", "reject", "close", "retry"):
            words = ("--yes",) if verb == "approve" else ("--reason", "no")
            assert firebreak("incident", verb, DECOY, "--by", "ada", *words).code != 0

        assert (on.read(real).phase, on.updates) == ("waiting", ())


def test_without_a_key_what_is_shown_is_what_the_seal_is_over(
    firebreak: Told, line: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever carries it out verifies that text: nothing beside it may be shown in its place."""
    with at_work(line, monkeypatch, FIREBREAK_SEAL_KEY="k" * 32) as on:
        there = Intruder(on).reads("incident", asking(on).id)
        harmless = {**record_of(there.body), "still_open": [], "plan": {**record_of(there.body)["plan"], "changes": []}}
        Intruder(on).writes(there, {**there.body, "unverified": json.dumps(harmless)})
        shown = firebreak("incident", "show", there.key, "--json").json

        assert shown["seal"].startswith("not verified here")
        assert [one["surface"] for one in shown["plan"]["changes"]] == ["service"]


def test_without_a_key_a_question_over_another_plan_than_its_digest_is_of_is_answered_by_nobody(
    firebreak: Told, line: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A yes names the digest, whatever was shown: the function would carry out what it had asked."""
    with at_work(line, monkeypatch, FIREBREAK_SEAL_KEY="k" * 32) as on:
        there = Intruder(on).reads("incident", asking(on).id)
        told = record_of(there.body)
        Intruder(on).sets(there, plan={**told["plan"], "changes": []})

        assert firebreak("incident", "show", there.key, "--json").json["seal"] == "broken"
        answered = firebreak("incident", "approve", there.key, "--yes", "--by", "ada")
        assert answered.code == 1
        assert "it may show another plan than the one asked about" in answered.err + answered.out


def test_no_name_in_the_ledger_becomes_a_command(firebreak: Told, line: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    with at_work(line, monkeypatch) as on:
        body = Intruder(on).reads("incident", asking(on).id).body
        planted(on, SHELL, with_record(body, {**record_of(body), "id": SHELL}))
        examined = Examined(None, None, lambda: on.app.ledger, on.app.now_ns())  # type: ignore[arg-type]  # the ledger alone
        found = [one for item in check.items(examined) for one in item.look(Deadline.after(5))]

        assert not [one.mend for one in found if isinstance(one, Fault) and SHELL in one.mend]
        assert f"incident {SHELL} cannot be read" in firebreak("incident", "list").out


def test_no_digest_in_the_ledger_becomes_a_command(
    firebreak: Told, line: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    with at_work(line, monkeypatch) as on:
        there = Intruder(on).reads("incident", asking(on).id)
        question = {**record_of(there.body)["question"], "digest": ";touch pwned"}
        Intruder(on).sets(there, question=question)
        commands = [one["command"] for one in firebreak("incident", "show", there.key, "--json").json["next"]]

        assert any("'" in one for one in commands)
        assert all(";touch pwned" not in one or "';touch pwned'" in one for one in commands)


@pytest.mark.parametrize("words", [("stats",), ("log",), ("promote", "malware")], ids=lambda words: words[0])
@pytest.mark.parametrize("key", ["", "k" * 32], ids=["a broken seal", "no key"])
def test_what_counts_decisions_says_which_records_it_does_not_know_to_be_whole(
    firebreak: Told, line: Lines, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: tuple[str, ...], key: str
) -> None:
    """Else whoever breaks the seals of all that was wrong shows a policy that never was."""
    with at_work(line, monkeypatch, None, **({"FIREBREAK_SEAL_KEY": key} if key else {})) as on:
        monkeypatch.setenv("FIREBREAK_POLICIES", policies_in(tmp_path / "shop", POLICY.replace("enforce", "approve")))
        stored = Intruder(on).reads("incident", asking(on).id)
        if not key:
            Intruder(on).sets(stored, closed_as="true_positive")
        shown, said = firebreak("policy", *words, "--json").json, firebreak("policy", *words).out
        doubt = (
            "records counted, with a seal that was not verified, for FIREBREAK_SEAL_KEY was not set: 1"
            if key
            else "records left out, because they cannot be read or their seal is broken: 1"
        )

    assert doubt in shown["caveats" if words[0] == "promote" else "doubts"]
    assert doubt in said


def test_what_is_pulled_without_a_key_says_so_and_so_does_what_counts_it(
    firebreak: Told, line: Lines, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = str(tmp_path / "history.jsonl")
    with at_work(line, monkeypatch, None, FIREBREAK_SEAL_KEY="k" * 32) as on:
        asking(on)
        said = firebreak("history", "pull", file).out
        doubts = firebreak("policy", "stats", file, "--json").json["doubts"]

    assert "not verified here, for FIREBREAK_SEAL_KEY is not set: 1" in said
    assert doubts == ["records counted, with a seal that was not verified, for FIREBREAK_SEAL_KEY was not set: 1"]


def test_what_counts_decisions_says_how_much_of_a_file_it_could_not_read(firebreak: Told, tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").write_text('{"phase": \n{"phase": "closed", "finding": {}}\n')

    assert firebreak("policy", "stats", str(tmp_path / "history.jsonl"), "--json").json["doubts"] == [
        "records left out, because they are no JSON text: 1"
    ]


def test_on_a_laptop_the_yaml_is_read_whatever_is_compiled_beside_it(
    firebreak: Told, line: Lines, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Lint and examples are of the YAML; in a repository of policies anybody may have put the other."""
    folder = Path(policies_in(tmp_path / "shop"))
    files = read_folder(folder)
    weak = {name: text.replace("enforce", "monitor") for name, text in files.items()}
    forged = json.loads(compiled(read_yaml_policies(weak), weak)) | {"sources": sources_digest(files)}
    (folder / COMPILED).write_text(json.dumps(forged))
    with at_work(line, monkeypatch) as on:
        incident = asking(on)
        monkeypatch.setenv("FIREBREAK_POLICIES", str(folder))
        firebreak("incident", "retry", incident.id, "--by", "ada")
        decided = firebreak("incident", "show", incident.id, "--json").json["decision"]["policy_set"]
        here = firebreak("policy", "log", "--json").json["here"]

    assert decided == here == read_yaml_policies(files).digest
