"""From a finding of the recipe to what is kept of it: Security Command Center's finding, and Firebreak's incident."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from firebreak import VERSION
from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.plan import SUCCESS, Change, HeldStep, Outcome, Plan
from firebreak.core.facts import Evidence, FactValue
from firebreak.core.findings.finding import Finding
from firebreak.core.findings.notification import parse_finding
from firebreak.core.findings.verdict import assess
from firebreak.core.incidents.decision import Decision
from firebreak.core.incidents.event import Event
from firebreak.core.incidents.evidence_record import evidence_record
from firebreak.core.incidents.incident import Entry, Incident
from firebreak.core.incidents.phase import Phase
from firebreak.core.incidents.question import Question
from firebreak.core.incidents.release import Release, ReleasedKey
from firebreak.core.mode import MODES, Cap, Mode, capped
from firebreak.core.policy.policy import PolicySet
from firebreak.core.timestamps import NANOS
from sandbox.scc.notifications import Scene, malicious_binary_finding
from sandbox.year.recipe import Found, Step, seconds
from sandbox.year.settings import good_revision, rested_on, runner_of

_PERSON = "grace@shop.example"
_SURE = 10
"""From so many engines on VirusTotal's verdict is that a file is malicious."""
_AWAY = "no answer within 10 s"
_ANSWERS_WITHIN_NS = 1800 * NANOS
_PHASES: Mapping[str, Phase] = {
    "declined": "declined",
    "monitored": "monitored",
    "deferred": "deferred",
    "asked": "waiting",
    "approved": "containing",
    "rejected": "rejected",
    "expired": "expired",
    "contained": "contained",
    "released": "released",
    "closed": "closed",
}


def scc_finding(one: Found, recipe: Mapping[str, Any], *, later: bool = False) -> dict[str, Any]:
    """`{"finding": …, "resource": …}` as Security Command Center lists it; `later`: as it was held after it changed."""
    project, region, kind, name = one.place.split("/")
    lies, told = recipe["projects"][project], one.told
    graver = told.get("graver", {}) if later else {}
    event = one.at + dt.timedelta(seconds=seconds(graver.get("after", "0s")))
    file = f"/var/tmp/{one.hexadecimal('path', 8)}"  # noqa: S108 - where malware is put, nothing is written there
    scene = Scene(
        workload=f"{kind}/{name}",
        project_id=project,
        project_number=lies["number"],
        location=region,
        organization=recipe["organization"],
        folders=(lies["folder"],),
        source=recipe["source"],
        finding_id=one.hexadecimal("finding", 32),
        category=recipe["categories"][told["category"]],
        severity=graver.get("severity", told.get("severity", "CRITICAL")),
        event_time=_rfc(event),
        create_time=_rfc(one.at),
        sha256=one.hexadecimal("file", 64, one.story),
        path=file,
        args=(file, "--threads", "4"),
        image=f"{region}-docker.pkg.dev/{project}/apps/{name}:latest",
        digest=f"sha256:{one.hexadecimal('image', 64, one.place)}",
        contact=f"{lies['owner']}-oncall@shop.example",
    )
    pair = malicious_binary_finding(scene)
    pair["finding"]["containers"][0]["name"] = f"{name}-1"
    states = told.get("state", ["ACTIVE"])
    pair["finding"]["state"] = states[one.number % len(states)]
    if told.get("muted"):
        pair["finding"] |= {"mute": "MUTED", "muteUpdateTime": _rfc(one.at)}
    return pair


def incident(one: Found, recipe: Mapping[str, Any], policies: PolicySet) -> Incident:
    """What Firebreak made of it, by that set of policies, as its ledger has it."""
    pairs = [scc_finding(one, recipe, later=later) for later in ((False, True) if "graver" in one.told else (False,))]
    held = [parse_finding(pair["finding"], pair["resource"]) for pair in pairs]
    finding, first = held[-1], held[0]
    seen_ns = first.event_ns + seconds(recipe["seen_after"]) * NANOS
    evidence = _evidence(one, recipe)
    decision = _decision(one, policies) if one.policy else None
    plan = _plan(one, finding, policies) if decision else None
    lines = list(_lines(one, seen_ns, decision, plan))
    steps = {step.word: line.at_ns for step, line in zip(one.life, lines[1:], strict=True)}
    last = one.life[-1]
    whole = Incident(
        id=first.incident_id,
        phase=_PHASES[last.word],
        created_ns=seen_ns,
        updated_ns=lines[-1].at_ns,
        finding=finding,
        evidence=tuple(map(evidence_record, evidence)) if decision else (),
        verdict=assess(finding, evidence) if decision else None,
        decision=decision,
        plan=plan,
        history=tuple(lines),
        closed_as=last.found,
        events=tuple(_event(each, seen_ns + each.event_ns - first.event_ns) for each in held),
    )
    if decision and recipe["sets"][one.policy_set].get("keeps_settings") and isinstance(finding.target, Target):
        whole = replace(whole, rested_on=rested_on(one, finding, finding.target, seen_ns))
    if plan and "asked" in steps:
        asked_ns = steps["asked"]
        whole = replace(whole, question=Question(plan.digest, asked_ns, asked_ns + _ANSWERS_WITHIN_NS, _cautions(one)))
    if plan and "contained" in steps:
        whole = replace(whole, done=plan, outcomes=tuple(_outcome(change, plan) for change in plan.changes))
    if plan and "released" in steps:
        whole = replace(whole, release=_release(plan, steps["released"]))
    return whole


def _rfc(at: dt.datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _evidence(one: Found, recipe: Mapping[str, Any]) -> tuple[Evidence, ...]:
    project, region, kind, name = one.place.split("/")
    malicious = one.told.get("malicious")
    serves = {} if kind == "jobs" else {"workload.public": kind == "services"}
    workload = {
        "workload.project": project,
        "workload.location": region,
        "workload.name": name,
        "workload.kind": {"services": "service", "jobs": "job", "workerPools": "worker_pool"}[kind],
        "workload.ingress": "all" if kind == "services" else "none",
        "workload.labels": (f"owner={recipe['projects'][project]['owner']}",),
        **serves,
    }
    reputation = Evidence("virustotal", {}, _AWAY, took_ms=10_000)
    if isinstance(malicious, int):
        verdict = "malicious" if malicious >= _SURE else "suspicious" if malicious else "undetected"
        facts: dict[str, FactValue] = {"virustotal.malicious": malicious, "virustotal.verdict": verdict}
        reputation = Evidence("virustotal", facts, took_ms=310)
    return (
        reputation,
        Evidence("workload", workload, took_ms=120),
        Evidence("related", {"related.count": 0}, took_ms=140),
    )


def _cautions(one: Found) -> tuple[str, ...]:
    return () if one.alone else ("blast_radius",)


def _decision(one: Found, policies: PolicySet) -> Decision:
    ceiling, wanted = policies.config.ceiling, MODES[one.wanted]
    caps = [Cap(name, "caution", "20 workloads were contained within this hour already") for name in _cautions(one)]
    if ceiling is not Mode.ENFORCE:
        kind = "bar" if ceiling is Mode.MONITOR else "caution"
        caps.insert(0, Cap("ceiling", kind, f"the ceiling in firebreak.yaml is {ceiling.word}"))  # type: ignore[arg-type]  # one of the two
    return Decision(
        policy=one.policy,
        mode=capped(wanted, tuple(caps)),
        wanted=wanted,
        caps=tuple(caps),
        trace=(),
        reasons=(f"policy {one.policy} ({one.wanted}) matches",),
        policy_set=policies.digest,
        version=VERSION,
        notify=("security-oncall",),
        gaps=("virustotal",) if one.told.get("malicious") is None else (),
        age_ns=0,
    )


def _plan(one: Found, finding: Finding, policies: PolicySet) -> Plan | None:
    """What the shipped policies would do: a pin for what serves, and no more runs of a job."""
    target = finding.target
    if not isinstance(target, Target):
        return None
    if target.kind == "job":
        surface, action = "job_iam", "block_runs"
        change = Change(target, surface, {runner_of(target): True}, {runner_of(target): None}, {}, (action,))
    else:
        surface, action = target.kind, "pin_previous_revision"
        key = "service.traffic.split" if surface == "service" else "worker_pool.split"
        change = Change(target, surface, {key: "LATEST=100"}, {key: f"{good_revision(one, target)}=100"}, {}, (action,))
    return Plan((change,), (HeldStep(action, {}),), policy_set=policies.digest)


def _outcome(change: Change, plan: Plan) -> Outcome:
    detail = "verified in effect"
    return Outcome(change.surface, SUCCESS, detail, change.actions, target=change.target.key, plan=plan.digest)


def _release(plan: Plan, asked_ns: int) -> Release:
    """Every setting back as it was."""
    keys = (
        ReleasedKey(change.target, key, change.after[key], change.before[key], "restored")
        for change in plan.changes
        for key in change.after
    )
    return Release(_PERSON, asked_ns=asked_ns, keys=tuple(keys), over=True)


def _event(finding: Finding, seen_ns: int) -> Event:
    return Event(finding.incident_id, finding.event_ns, seen_ns, status="counts", decided=True)


def _lines(one: Found, seen_ns: int, decision: Decision | None, plan: Plan | None) -> Iterator[Entry]:
    yield Entry(seen_ns, "firebreak", "received")
    at_ns = seen_ns
    for step in one.life:
        at_ns += step.after * NANOS
        yield _line(step, at_ns, decision, plan)


def _line(step: Step, at_ns: int, decision: Decision | None, plan: Plan | None) -> Entry:
    """As the function writes it, which is what reports read."""
    why = decision.because if decision else ""
    actions = ", ".join(held.action for held in plan.steps) if plan else ""
    told = {
        "declined": "the finding is muted in SCC",
        "monitored": f"the plan is recorded and nothing is written: {why}",
        "deferred": "deferred: halted by grace@shop.example: the edge is being rebuilt",
        "asked": f"asks a person: {why}",
        "approved": "approved the plan",
        "rejected": "rejected: it is known, and harmless",
        "expired": "nobody answered",
        "contained": f"contained by {actions}",
        "released": "released",
        "closed": f"closed as {step.found.replace('_', ' ')}",
    }
    by_person = step.word in ("approved", "rejected", "released", "closed")
    return Entry(at_ns, _PERSON if by_person else "firebreak", told[step.word])
