"""What people say to the line and what it tells them: by commands, as `on_command` gives them, and by records alone."""

from __future__ import annotations

import uuid
from typing import Any

from firebreak.core.incidents.command import Command, CommandResult
from firebreak.core.incidents.incident import Incident
from firebreak.response import pipeline
from firebreak.response.sweep import Swept
from sandbox.wire import Call
from tests.laws.grounds import WRITES
from tests.response.harness import ALWAYS, PIN_ONLY, Line


def asking(policy: str) -> str:
    """The same policy, which asks a person first."""
    asks = policy.replace("mode: enforce", "mode: approve")
    return asks.replace("expect: {mode: enforce}", "expect: {mode: approve}")


def doing(*steps: str) -> str:
    """The policy that always contains, with these steps."""
    return ALWAYS.replace(
        "then: [{action: pin_previous_revision, otherwise: [{action: cut_traffic}]}]", f"then: [{', '.join(steps)}]"
    )


APPROVE, APPROVE_PIN = asking(ALWAYS), asking(PIN_ONLY)
CONTAIN_UNANSWERED = f"{APPROVE}on_expiry: contain\n"
PIN_AND_CLOSE = doing("{action: pin_previous_revision}", "{action: revoke_public_access}")


def now(on: Line, incident: Incident) -> dict[str, Any]:
    """The record as it stands."""
    return on.shown(on.read(incident))


def phase(on: Line, incident: Incident) -> str:
    return on.read(incident).phase


def asked(on: Line, incident: Incident) -> str:
    """Digest of the question that is on the record."""
    return str((now(on, incident)["question"] or {}).get("digest", ""))


def order(on: Line, verb: str, incident: Incident, by: str = "ada", **given: str) -> Command:
    """A command, which may be delivered more than once; an answer is about what its sender sees now."""
    if verb in ("approve", "reject", "close") and "digest" not in given:
        given["digest"] = asked(on, incident)
    return Command(uuid.uuid4().hex, verb, by, incident.id, sent_ns=on.app.now_ns(), **given)


def deliver(on: Line, command: Command) -> CommandResult:
    """What comes of one delivery of a command."""
    return pipeline.execute(on.app, command)


def say(on: Line, verb: str, incident: Incident, by: str = "ada", **given: str) -> CommandResult:
    """A person's word, delivered once."""
    return deliver(on, order(on, verb, incident, by, **given))


def later(on: Line, minutes: float) -> Swept:
    """The sweep that comes so much later."""
    on.wait(60 * minutes)
    return on.sweep()


def cautions(on: Line, incident: Incident) -> set[str]:
    """What the question on the record names; an approval answers just that."""
    return set((now(on, incident)["question"] or {}).get("cautions", ()))


def reasons(on: Line, incident: Incident) -> str:
    """Everything that is said of why no more is done, in one text."""
    shown = now(on, incident)
    caps = [cap["reason"] for cap in (shown["decision"] or {}).get("caps", ())]
    refusals = [one["reason"] for one in (shown["plan"] or {}).get("refusals", ())]
    outcomes = [one["detail"] for one in shown["outcomes"]]
    return "\n".join((*caps, *refusals, *outcomes, *shown["still_open"], story(on, incident)))


def writes(on: Line) -> list[Call]:
    """The calls that changed something of the customer's, or tried to."""
    ours = frozenset(WRITES.values())
    return [call for call in on.sandbox.wire.calls if call.method in ours and not _only_asked(call)]


def _only_asked(call: Call) -> bool:
    return bool(getattr(call.request, "validate_only", False))


def story(on: Line, incident: Incident) -> str:
    """The whole history, in one text."""
    return "\n".join(one["what"] for one in now(on, incident)["history"])


def told(on: Line, incident: Incident) -> list[str]:
    """The phases that were announced of this incident, the first one first."""
    return [one["phase"] for one in on.announced if one["id"] == incident.id]


def alerts(on: Line, about: str) -> list[str]:
    """What the log has at ERROR about this."""
    return [str(one) for one in on.logged if one["severity"] == "ERROR" and about in str(one)]
