"""The names under which things are stored, apart from those in Python: what was written once is read for ever.

A field, class or member that is renamed in Python keeps its stored name: write `python=stored` here. A stored name is
never given to anything else, and never taken away: what an older version wrote would lose it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What is stored. `unknown_keys` are what a newer version wrote beside its fields: kept, and written back."""

    unknown_keys: Mapping[str, object] = field(
        default_factory=dict, repr=False, compare=False, metadata={"saved": False}
    )


@dataclass(frozen=True, slots=True)
class Names:
    """One type's stored name, and the stored name of each of its fields or members.

    `later` are fields that came after a release: at their default they are left out, so that what was stored before
    them is encoded as it was. `given_up` are stored names that no field has any more: they stay taken, and what was
    stored under them is kept as what this version does not know.
    """

    name: str
    parts: Mapping[str, str]
    later: frozenset[str] = frozenset()
    given_up: frozenset[str] = frozenset()


def _names(name: str, parts: str) -> Names:
    """Parts as `field`, `python=stored`, with a `?` behind what came after a release; `-stored` is given up."""
    given_up = frozenset(one[1:] for one in parts.split() if one.startswith("-"))
    pairs = [one.rstrip("?").split("=") for one in parts.split() if one[1:] not in given_up]
    later = frozenset(one.rstrip("?").partition("=")[0] for one in parts.split() if one.endswith("?"))
    return Names(name, MappingProxyType({one[0]: one[-1] for one in pairs}), later, given_up)


NAMES: Mapping[str, Names] = MappingProxyType(
    {
        "firebreak.core.incidents.incident:Incident": _names(
            "incident",
            "id phase created_ns updated_ns finding evidence verdict decision plan outcomes still_open history question"
            " answer operation release done failed_actions unsupported outbox owner lease_until_ns next_ns closed_as"
            " cut reopened vault further failed_on? events? waits? away? floors? uid? uids? drift? threads? rested_on?",
        ),
        "firebreak.core.incidents.evidence_record:EvidenceRecord": _names("asked", "source facts gap took_ms shown"),
        "firebreak.core.incidents.decision:Decision": _names(
            "decision",
            "policy mode wanted caps trace reasons policy_set version notify suspects suspects_because"
            " related_revisions -suspect_rule -suspect_images -suspects_elsewhere gaps? age_ns? shadow?",
        ),
        "firebreak.core.incidents.decision:Shadowed": _names(
            "shadowed", "policy truth by wanted mode caps actions fault"
        ),
        "firebreak.core.incidents.question:Question": _names(
            "question", "digest asked_ns expires_ns cautions asked_before escalated events? shown? settings? suspects?"
        ),
        "firebreak.core.incidents.question:Answer": _names("answer", "digest by at_ns cautions shown?"),
        "firebreak.core.incidents.release:Release": _names(
            "release", "by changes asked_ns? keys? over? digest? rests? beside?"
        ),
        "firebreak.core.incidents.release:ReleasedKey": _names("released_key", "target key before after result detail"),
        "firebreak.core.containment.review:Drift": _names("drift", "says opened settings"),
        "firebreak.core.incidents.incident:Wait": _names("wait", "what reason since_ns"),
        "firebreak.core.incidents.event:Event": _names(
            "event", "id event_ns seen_ns status decided again_ns named digests suspects answered? severity?"
        ),
        "firebreak.core.incidents.incident:Entry": _names("history_entry", "at_ns who what"),
        "firebreak.core.incidents.announcement:Announcement": _names(
            "announcement", "number channel phase sent again_ns? tries? refused? level? about?"
        ),
        "firebreak.core.incidents.evidence_record:EvidenceLocation": _names("kept", "uri manifest sha256 gaps"),
        "firebreak.core.findings.finding:Finding": _names(
            "finding",
            "name canonical_name event_ns category severity state mute finding_class source_display organization"
            " folders target binaries containers commands tactic techniques additional_techniques attack_version"
            " contacts description module?",
        ),
        "firebreak.core.findings.finding:FindingName": _names("finding_name", "container source location finding"),
        "firebreak.core.findings.finding:Binary": _names("binary", "path role sha256 whole"),
        "firebreak.core.findings.container:Container": _names("container", "name uri digest uri_digest?"),
        "firebreak.core.cloud_run.target:Target": _names(
            "target", "project location kind name revision execution project_id project_number also?"
        ),
        "firebreak.core.cloud_run.target:NotATarget": _names("not_a_target", "reason name?"),
        "firebreak.core.mode:Cap": _names("cap", "name kind reason about?"),
        "firebreak.core.mode:Mode": _names("mode", "MONITOR APPROVE ENFORCE"),
        "firebreak.core.containment.plan:Change": _names("change", "target surface before after basis actions"),
        "firebreak.core.containment.plan:StepRefusal": _names("step_refusal", "action reason kind?"),
        "firebreak.core.containment.plan:HeldStep": _names("held_step", "action params"),
        "firebreak.core.containment.plan:Plan": _names("plan", "changes steps refusals fallback policy_set"),
        "firebreak.core.containment.plan:Outcome": _names(
            "outcome", "surface status detail actions still_open target plan? joined?"
        ),
        "firebreak.core.containment.rested_on:RestedOn": _names(
            "rested_on",
            "seen trust trust_reason own? now_ns? age_ns? contained_before? unread_regions? users? away? uids?"
            " unvouched? canary?",
        ),
        "firebreak.core.containment.rested_on:Looked": _names(
            "looked", "target standing settings? suspicion? held? disputed? unsupported? fault? gone? away?"
        ),
        "firebreak.core.containment.rested_on:Settings": _names(
            "settings",
            "state revisions latest effective? tags? created_ns? updated_ns? service_account? regions?"
            " unread? uid? left_out?",
        ),
        "firebreak.core.cloud_run.workload:Revision": _names(
            "revision",
            "name created_ns fault gen1 digests service_account? min_instances? max_request_seconds? by_tag? creator?",
        ),
        "firebreak.core.actions.suspects:Suspicion": _names("suspicion", "rule revisions reason images? unplaced?"),
        "firebreak.core.cloud_run.account_usage:Users": _names("users", "names unseen?"),
        "firebreak.core.containment.canary:Canary": _names("canary", "uid target source by expires_ns"),
        "firebreak.core.containment.slots:Slot": _names("slot", "incident target at_ns"),
        "firebreak.core.containment.slots:Slots": _names("slots", "taken lost_ns?"),
        "firebreak.core.findings.verdict:Verdict": _names("verdict", "id confidence reasons"),
        "firebreak.core.containment.active_containment:Hold": _names(
            "hold", "incident steps suspects taken_ns let_go? unsupported? unseen?"
        ),
        "firebreak.core.containment.active_containment:Standing": _names(
            "standing",
            "target origin applied pending holds verified_ns changed_ns origin_changed_ns released_ns releasing"
            " releasing_ns place drift uid? etag? floors?",
        ),
        "firebreak.core.evidence.manifest:Entry": _names(
            "vault_object", "name sha256 size original_sha256 original_size original_of cut"
        ),
        "firebreak.core.evidence.manifest:Manifest": _names("vault_manifest", "incident written objects gaps whole"),
        "firebreak.core.findings.file_report:FileReport": _names(
            "file_report",
            "sha256 verdict reasons malicious suspicious undetected harmless label families tags score severity"
            " first_seen last_analysis",
        ),
        "firebreak.core.findings.file_report:NoReport": _names("no_report", "sha256 kind reason"),
    }
)


def names_of(kind: type, table: Mapping[str, Names] = NAMES) -> Names:
    """What this type and its parts are stored as; raises TypeError where it is not to be stored."""
    known = table.get(f"{kind.__module__}:{kind.__qualname__}")
    if known is None:
        message = (
            f"{kind.__module__}.{kind.__qualname__} has no names in firebreak/core/storage_names.py and cannot be saved"
        )
        raise TypeError(message)
    return known
