"""Parts that stories share: the service before, the finding, the decision, the containment, the way back."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from firebreak.cli.screens.incident_why import show_reasons
from firebreak.cli.screens.plan import show_plan
from firebreak.cli.screens.release import show_keys
from firebreak.cli.screens.wording import word
from sandbox.scc.notifications import Pair
from sandbox.stories.stage import Stage

Record = Mapping[str, Any]


def tell_before(stage: Stage) -> None:
    """The service as it is."""
    stage.narrator.step(
        f"The sandbox and the function are up; the service {stage.service} before",
        f"revisions: {', '.join(stage.revisions())}",
        *stage.traffic(),
    )


def tell_finding(stage: Stage, pair: Pair) -> Record:
    """The finding is published and answered; the record as announced."""
    finding, narrator = pair["finding"], stage.narrator
    binary = finding["processes"][0]["binary"]
    narrator.step(
        "Security Command Center publishes a finding",
        f"{finding['category']}, {finding['severity']}",
        f"{binary['path']}, sha256 {binary['sha256'][:16]}…",
    )
    status = stage.publish(pair)
    narrator.step("The function has answered", f"HTTP {status}")
    narrator.require("the message is acknowledged", status, 200)
    announced = stage.announced()
    narrator.require("the incident is announced", bool(announced))
    return announced[-1]


def tell_decision(stage: Stage, record: Record) -> None:
    """Evidence with its times, verdict, decision with its trace, plan as a diff."""
    narrator = stage.narrator
    narrator.step("Evidence, asked in parallel", data=record["evidence"])
    for one in record["evidence"]:
        facts = ", ".join(f"{name.partition('.')[2]} {word(value)}" for name, value in one["facts"].items())
        style = "caution" if one["gap"] else "dim"
        text = f"unknown: {one['gap']}" if one["gap"] else facts
        narrator.add(f"{one['source']:<10} {one['took_ms']:>4} ms  {text}", style, hang=20)
    verdict, decision = record["verdict"], record["decision"]
    narrator.require("there is a verdict, a decision and a plan", bool(verdict and decision and record["plan"]))
    narrator.step(f"Verdict: {verdict['id']}, {verdict['confidence'].lower()} confidence", *verdict["reasons"])
    narrator.step(f"Decision: {decision['mode']}, policy {decision['policy']}", data=decision)
    narrator.show(show_reasons, decision)
    narrator.step(f"Plan {record['plan']['digest'][:12]}", data=record["plan"])
    narrator.show(show_plan, record["plan"])


def tell_containment(stage: Stage, record: Record, before: Record, *, bad: str, good: str) -> None:
    """The verified outcome, the sandbox's own word on it, and what is still open."""
    narrator = stage.narrator
    outcomes = [f"{one['status']}: {one['detail']}" for one in record["outcomes"]]
    narrator.step("Outcome, read back from what serves", *outcomes, *stage.traffic(), data=record["outcomes"])
    narrator.require("the incident is contained", record["phase"], "contained")
    updates, reachable = stage.updates(), stage.reachable()
    narrator.require("exactly one UpdateService was made", len(updates), 1)
    narrator.check("masked to what changed", list(updates[0].request.update_mask.paths), ["traffic"])
    narrator.check("under an etag", bool(updates[0].request.service.etag))
    narrator.check(f"{bad} cannot be reached", sorted(reachable.get(bad, ())), [])
    narrator.check(f"{good} serves", "percent" in reachable.get(good, ()))
    others = {key: value for key, value in before.items() if key != "traffic"}
    now = {key: value for key, value in stage.settings().items() if key != "traffic"}
    narrator.check("nothing else of the service was touched", _differing(now, others), [])
    narrator.step("Still open", *record["still_open"])
    narrator.check("what stays open is said", bool(record["still_open"]))


def tell_command(stage: Stage, *words: str, code: int = 0) -> str:
    """What a person types, and what the command says; it has to end as is wanted."""
    ended, answer = stage.firebreak(*words)
    says = str(answer.get("says", answer) if isinstance(answer, Mapping) else answer)
    stage.narrator.step(f"$ firebreak {shlex.join(words)}", says)
    stage.narrator.check(f"the command says {'yes' if code == 0 else 'no'}", ended, code)
    return says


def tell_keys(stage: Stage, record: Record) -> None:
    """What a release did, setting by setting."""
    stage.narrator.step("The release, setting by setting", data=record["release"])
    stage.narrator.show(show_keys, record)


def tell_release(stage: Stage, incident: str, before: Record) -> None:
    """A person puts it back."""
    narrator = stage.narrator
    code, answer = stage.firebreak("incident", "release", incident)
    narrator.step(f"$ firebreak incident release {incident}", str(answer.get("says", answer)), *stage.traffic())
    narrator.check("the command says yes", code, 0)
    narrator.check("the settings are all those from before", _differing(stage.settings(), before), [])
    narrator.check("the record says released", stage.announced()[-1]["phase"], "released")


def _differing(now: Record, wanted: Record) -> list[str]:
    """The names of the settings that differ."""
    return sorted(key for key in now.keys() | wanted.keys() if now.get(key) != wanted.get(key))
