"""The command as tests run it, and the records that they show."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from firebreak.cli import main as cli
from firebreak.cli.screens.console import Screen
from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.plan import Change, Outcome, Plan
from firebreak.core.facts import Evidence
from firebreak.core.findings.notification import parse_notification
from firebreak.core.findings.verdict import assess
from firebreak.core.incidents.decision import Decision
from firebreak.core.incidents.evidence_record import evidence_record
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.question import Question, question_digest, shown_digest
from firebreak.core.incidents.record import record
from firebreak.core.mode import Cap, Mode
from firebreak.core.timestamps import NANOS
from sandbox.scc.notifications import Scene, malicious_binary_finding, notification_v2

NOW = 1_790_000_000 * NANOS
MADE = (Outcome("service", "Success", "verified in effect", ("pin_previous_revision",)),)
FOREIGN = (
    "CLOUD_RUN_EMULATOR_HOST",
    "SECURITY_CENTER_EMULATOR_HOST",
    "LOGGING_EMULATOR_HOST",
    "PUBSUB_EMULATOR_HOST",
    "VIRUSTOTAL_HOST",
    "VIRUSTOTAL_API_KEY",
    "K_SERVICE",
    "FIREBREAK_POLICIES",
    "FIREBREAK_CEILING",
    "FIREBREAK_INCIDENTS_TOPIC",
    "FIREBREAK_SELF",
    "FIREBREAK_SEAL_KEY",
    "FIREBREAK_SCC_MARKS",
    "NO_COLOR",
    "FORCE_COLOR",
    "COLUMNS",
)


@dataclass(frozen=True)
class Answer:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Told = Callable[..., Answer]


def run(capsys: pytest.CaptureFixture[str], *words: str) -> Answer:
    try:
        code = cli.main(words)
    except SystemExit as stop:
        code = int(stop.code or 0)
    said = capsys.readouterr()
    return Answer(code, said.out, said.err)


class Terminal(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        return True


def told(show: Callable[..., None], *shown: Any) -> str:
    """What a screen writes into a pipe."""
    stream = io.StringIO()
    show(Screen(stream), *shown)
    return stream.getvalue()


def looked_at(show: Callable[..., None], *shown: Any) -> str:
    """What a screen writes to a terminal."""
    stream = Terminal()
    show(Screen(stream), *shown)
    return stream.getvalue()


def incident(phase: str = "waiting", scene: Scene | None = None, **more: Any) -> Incident:
    """An incident with all its parts, two minutes old."""
    finding = parse_notification(notification_v2(malicious_binary_finding(scene))).finding
    target = finding.target
    assert isinstance(target, Target)
    change = Change(
        target=target,
        surface="service",
        before={"service.traffic.split": "LATEST=100", "service.traffic.tag.canary": "checkout-00008-bad"},
        after={"service.traffic.split": "checkout-00007-good=100", "service.traffic.tag.canary": None},
        basis={},
        actions=("pin_previous_revision",),
    )
    plan = Plan((change,), ())
    evidence = Evidence("virustotal", {}, "no answer within 10 s", took_ms=10_000)
    whole = Incident(
        id=finding.incident_id,
        phase=phase,  # type: ignore[arg-type]  # tests go through all of them
        created_ns=NOW - 120 * NANOS,
        updated_ns=NOW,
        finding=finding,
        evidence=(evidence_record(evidence),),
        verdict=assess(finding, (evidence,)),
        decision=Decision(
            policy="known-malware-on-service",
            mode=Mode.APPROVE,
            wanted=Mode.ENFORCE,
            caps=(Cap("stale", "caution", "the event was 90 minutes old when it arrived"),),
            trace=(),
            reasons=("policy known-malware-on-service (enforce) matches",),
            policy_set="0" * 64,
            version="0",
            suspects=("checkout-00008-bad",),
            suspects_because="checkout-00008-bad carries the image of the finding",
        ),
        plan=plan,
        outcomes=MADE if phase in ("contained", "releasing", "released", "closed") else (),
        still_open=("credentials stay valid if they were stolen: rotate them",),
        question=Question(
            question_digest(shown_digest(plan, {}, ()), ("stale",)),
            NOW - 60 * NANOS,
            NOW + 1740 * NANOS,
            ("stale",),
            suspects={},
        ),
    )
    whole = whole.with_history(NOW - 120 * NANOS, "firebreak", "received").with_history(
        NOW - 60 * NANOS, "firebreak", "asks a person"
    )
    return replace(whole, **more)


def recorded(phase: str = "waiting", scene: Scene | None = None, **more: Any) -> dict[str, Any]:
    """The record of such an incident."""
    return record(incident(phase, scene, **more))
