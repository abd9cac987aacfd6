"""A line of the log is short enough to arrive whole, and still has what it is found and understood by."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.containment.plan import Outcome
from firebreak.core.facts import Evidence
from firebreak.core.incidents.evidence_record import evidence_record
from firebreak.core.incidents.log_line import LONGEST_LINE, log_line, summary
from firebreak.core.incidents.record import record
from firebreak.core.mode import Cap, Mode
from tests.cli.commands import incident
from tests.repository.checkout import text_of

pytestmark = pytest.mark.thorough

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=400).map(lambda text: text * 9),
    lambda inner: st.lists(inner, max_size=60) | st.dictionaries(st.text(max_size=40), inner, max_size=60),
    max_leaves=40,
)


def grown() -> Any:
    """An incident whose every part that can grow has grown."""
    whole = incident()
    long = "ö\u2028" * 5000
    decision = whole.decision
    assert decision is not None
    caps = tuple(Cap(f"cap-{number}", "caution", Mode.APPROVE.word + long) for number in range(60))
    return replace(
        whole,
        evidence=tuple(evidence_record(Evidence(f"source-{number}", {"a.b": long}, long, 1)) for number in range(60)),
        decision=replace(decision, caps=caps, suspects=tuple(f"rev-{number}" for number in range(500))),
        outcomes=tuple(Outcome("service", "Failure", long, ("pin",)) for _ in range(60)),
        still_open=(long,) * 60,
    )


def test_the_line_of_the_largest_incident_is_short_and_has_what_it_is_known_by() -> None:
    whole = grown()
    line = log_line("ERROR", "contained: " + "x " * 2500, {"incident": whole.id, "record": summary(whole)})
    read = json.loads(line)

    assert len(line.encode()) <= LONGEST_LINE < 16_384
    assert (read["severity"], read["incident"]) == ("ERROR", whole.id)
    assert read["message"].startswith("contained: x")
    kept = read["record"]
    assert kept["finding"]["target"]["resource"] == whole.finding.target.resource
    assert kept["decision"]["policy"] == "known-malware-on-service"
    assert kept["decision"]["mode"] == "approve"
    assert kept["plan"]["digest"] == whole.plan.digest
    assert [one["status"] for one in kept["outcomes"][:2]] == ["Failure", "Failure"]


def test_the_summary_of_an_incident_has_the_record_s_own_names_and_values() -> None:
    """Whoever looks in the log for a field of the record finds it where the record has it."""
    whole = record(incident("contained"))
    short = summary(incident("contained"))

    assert short["verdict"] == {key: whole["verdict"][key] for key in ("id", "confidence")}
    assert short["evidence"] == [{"source": "virustotal", "gap": "no answer within 10 s"}]
    assert short["question"]["digest"] == whole["question"]["digest"]
    assert short["decision"]["caps"] == whole["decision"]["caps"]
    assert short["outcomes"][0]["status"] == "Success"
    assert {"trace", "history", "binaries"} & set(re.findall(r'"(\w+)":', json.dumps(short))) == set()


def test_a_summary_of_what_was_never_decided_has_nothing_in_those_places() -> None:
    short = summary(replace(incident("received"), verdict=None, decision=None, plan=None, question=None, outcomes=()))

    assert (short["verdict"], short["decision"], short["plan"], short["question"]) == (None, None, None, None)


def test_the_paths_that_alerts_read_of_the_log_are_in_the_summary() -> None:
    for path in re.findall(r"jsonPayload\.record\.([a-z_.]+)", text_of("terraform/watching.tf")):
        found: Any = summary(incident())
        for key in path.split("."):
            found = (found[0] if isinstance(found, list) else found)[key]
        assert found


@given(st.text(), st.dictionaries(st.text(max_size=20), JSON, max_size=20))
def test_whatever_is_logged_is_one_short_line_of_json(message: str, fields: dict[str, Any]) -> None:
    fields.pop("severity", None)
    line = log_line("INFO", message, {**fields, "incident": "fb-1"})
    read = json.loads(line)

    assert len(line.encode()) <= LONGEST_LINE
    assert len(line.splitlines()) == 1
    assert (read["severity"], read["incident"]) == ("INFO", "fb-1")


def test_a_short_line_is_not_cut() -> None:
    read = json.loads(log_line("NOTICE", "the sweep is done", {"sweep": {"reviewed": 2}, "refused": ("a", "b")}))

    assert read == {
        "severity": "NOTICE",
        "message": "the sweep is done",
        "sweep": {"reviewed": 2},
        "refused": ["a", "b"],
    }
