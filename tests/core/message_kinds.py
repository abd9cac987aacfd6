"""One incident for each kind of message that there is."""

from __future__ import annotations

from dataclasses import replace

from firebreak.core.containment.plan import Change, Outcome, Plan
from firebreak.core.containment.review import Drift
from firebreak.core.facts import Evidence
from firebreak.core.findings.verdict import assess
from firebreak.core.incidents.evidence_record import evidence_record
from firebreak.core.incidents.incident import Incident, Wait
from firebreak.core.incidents.release import Release, ReleasedKey
from tests.cli.commands import NOW, incident


def in_part() -> Release:
    target = incident().targets[0]
    back = ReleasedKey(target, "service.traffic.split", "a=100", "LATEST=100", "restored")
    held = ReleasedKey(target, "service.ingress", "none", "all", "refused", "an organization policy refuses it")
    return Release("ada", (), NOW, (back, held), rests=True)


def reopened() -> Incident:
    one = incident("waiting", done=incident().plan)
    opened, settings = ("checkout-00008-bad",), {"service.traffic.split": "LATEST=100"}
    drift = Drift("changed by eve@shop.example: x", opened, settings)
    return one.with_drift(one.targets[0].key, drift)


def known_malware() -> Incident:
    """VirusTotal knows the file, so that nobody was asked."""
    one = incident("contained", done=incident().plan)
    counts = {"virustotal.malicious": 48, "virustotal.suspicious": 0, "virustotal.undetected": 12}
    evidence = (
        Evidence("virustotal", {**counts, "virustotal.verdict": "malicious", "virustotal.label": "trojan.xmrig"}),
        Evidence("workload", {"workload.labels": ("team=payments",)}),
    )
    decision = one.decision and replace(one.decision, mode=one.decision.wanted, caps=())
    kept = tuple(map(evidence_record, evidence))
    return replace(one, evidence=kept, verdict=assess(one.finding, evidence), decision=decision, question=None)


def in_part_contained() -> Incident:
    """The traffic went; who may call was not Firebreak's to change."""
    one = known_malware()
    target = one.targets[0]
    grant = "service_iam.roles/run.invoker||allUsers"
    door = Change(target, "service_iam", {grant: True}, {grant: None}, {}, ("revoke_public_access",))
    changes = one.plan.changes if one.plan else ()
    plan = Plan((*changes, door), ())
    denied = Outcome("service_iam", "Failure", "PERMISSION_DENIED", ("revoke_public_access",))
    return replace(one, plan=plan, done=plan, outcomes=(*one.outcomes, denied))


def changed_by_others() -> Incident:
    """Another door, by which no suspect can be reached."""
    one = incident("contained", done=incident().plan)
    drift = Drift("changed by eve@shop.example: service.ingress was all and is internal", (), {"service.ingress": "x"})
    return one.with_drift(one.targets[0].key, drift)


KINDS = {
    "asked": incident("waiting"),
    "contained": known_malware(),
    "contained in part": in_part_contained(),
    "changed by others": changed_by_others(),
    "drifted": reopened(),
    "released with one key refused": incident("releasing", done=incident().plan, release=in_part()),
    "failed": incident("failed"),
    "deferred": incident("deferred", waits=Wait("halt", "halted by ada: a drill", NOW)),
    "expired": incident("expired"),
    "review": incident("contained", done=incident().plan).with_history(
        NOW, "firebreak", "review: contained for 4 h 0 min"
    ),
}
