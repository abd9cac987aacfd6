"""The report as JSON: what the policies would have done, on what that rests, and what is not known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from firebreak.backtest.parts import by_clause
from firebreak.backtest.run import Backtest
from firebreak.backtest.tally import NOTHING, Tally
from firebreak.backtest.trial import Trial
from firebreak.core.policy.policy import PolicySet
from firebreak.core.secrets.redaction import safe_texts
from firebreak.core.timestamps import NANOS, format_instant

MODES = ("enforce", "approve", "monitor", NOTHING)
_DAY_NS = 86_400 * NANOS
_TOP = 20


def report(ran: Backtest, policies: PolicySet, against: str | None) -> dict[str, Any]:
    """Everything that is told, for programs; texts are safe to show."""
    tally, changes = ran.tally, ran.changes
    whole = {
        "says": sentence(tally),
        "policy_set": policies.digest,
        "findings": tally.findings,
        "from": None if tally.first_ns is None else format_instant(tally.first_ns),
        "until": None if tally.first_ns is None else format_instant(tally.last_ns),
        "days": _days(tally),
        "contained": tally.contained,
        "contained_workloads": len(tally.alone),
        "asked": tally.went["asked"],
        "by_mode": _modes(tally.by_mode),
        "by_wanted": _modes(tally.by_wanted),
        "held_back_by": _ranked(tally.by_cap),
        "decided_on_recorded": tally.recorded,
        "unverified": tally.unverified,
        "decided_on_today": tally.of_today,
        "hanging": tally.hanging,
        "left_aside": _ranked(tally.aside),
        "waiting_on": _ranked(tally.waiting_on),
        "judged": _ranked(tally.judged),
        "wrong": {
            "count": sum(tally.wrong_by.values()),
            "enforced": tally.wrong_by["enforce"],
            "asked": tally.wrong_by["approve"],
            "findings": tally.wrong,
        },
        "by_policy": {name: _modes(tally.by_policy[name]) for name in sorted(tally.by_policy)},
        "in_shadow": {
            one.id: tally.shadow.get(one.id, Trial(one.id)).as_json for one in policies.policies if one.shadow
        },
        "by_week": {week: _modes(tally.by_week[week]) for week in sorted(tally.by_week)},
        "limits": {
            "per_hour": policies.config.limits.per_hour,
            "per_project_per_hour": policies.config.limits.per_project_per_hour,
            "busiest_hour": tally.busiest[0],
            "busiest_from": format_instant(tally.busiest[1]) if tally.busiest[0] else None,
            "held_back": tally.over_limit,
        },
        "went": _ranked(tally.went),
        "workloads": _workloads(tally),
        "owners": [{"owner": name, "findings": count} for name, count in tally.owners.most_common(_TOP)],
        "clauses": by_clause(tally.clauses, policies),
        "changes": None
        if against is None
        else {
            "against": against,
            "count": changes.count,
            "worse": changes.worse,
            "ways": _ranked(changes.ways),
            "findings": changes.shown,
        },
        "unread": {"count": ran.unread.count, "lines": ran.unread.shown},
        "caveats": caveats(ran, policies),
    }
    safe: dict[str, Any] = safe_texts(whole)
    return safe


def sentence(tally: Tally) -> str:
    """The one that comes first."""
    if not tally.findings:
        return "there is no finding in this history, so it tells nothing of these policies"
    modes, days = tally.by_mode, _days(tally)
    span = "within a day" if days == 1 else f"in {days:,} days"
    return (
        f"{span} this set would have contained {_counted(tally.contained, 'time')} alone,"
        f" {_counted(len(tally.alone), 'workload')} in all, asked"
        f" {_counted(tally.went['asked'], 'time')}, recorded {modes['monitor']:,}, and left {modes[NOTHING]:,} of"
        f" {_counted(tally.findings, 'finding')} aside"
    )


def caveats(ran: Backtest, policies: PolicySet) -> list[str]:
    """What a reader has to know before a figure is believed; nothing that does not apply."""
    tally = ran.tally
    releasing = ", ".join(
        sorted(one.id for one in policies.deciding if one.release_after and one.id in tally.by_policy)
    )
    alone = tally.findings - tally.recorded
    barred = sum(tally.by_cap[one] for one in ("ceiling", "source"))
    told = [
        (
            barred,
            "firebreak.yaml itself holds findings back, by ceiling or sources: a copy that allows more shows more",
        ),
        (tally.hanging, f"{tally.hanging:,} hang on a source that gave no answer, and mostly ask for that alone"),
        (
            alone and not tally.recorded,
            "no finding was decided on evidence of then: SCC's findings by themselves tell no labels and no reputation",
        ),
        (
            tally.of_today,
            f"{tally.of_today:,} were decided on what VirusTotal says now, which it may not have said then",
        ),
        (
            tally.settled,
            f"{tally.settled:,} are over in SCC by now; they are taken as active, at the time they were made",
        ),
        (
            tally.contained,
            "a containment stands until the release that was recorded, else it is taken to stand for 24 hours",
        ),
        (
            releasing,
            f"release_after is not played ({releasing}): when SCC called a finding inactive is on no record",
        ),
        (
            tally.unverified,
            f"records pulled without FIREBREAK_SEAL_KEY, so that nobody knows who wrote them: {tally.unverified:,}",
        ),
        (
            tally.went["joined"],
            f"{tally.went['joined']:,} came while what they would close was closed already: by mode alone they count",
        ),
        (
            tally.lacking,
            f"{tally.lacking:,} were decided without the settings of then, as if all were to be closed: it may be less",
        ),
        (
            tally.lacking_in_part,
            f"of {tally.lacking_in_part:,} the plan is about revisions or accounts that were not recorded",
        ),
        (
            tally.went["approved"] + tally.went["rejected"],
            "where people answered a question then, their answer is taken; else it goes as the policy says",
        ),
        (
            tally.went["waited for a halt"],
            f"{tally.went['waited for a halt']:,} came while everything was halted, and are taken up after it",
        ),
        (
            tally.findings and not tally.judged,
            "nobody has said what the findings were (firebreak incident close --as), so nothing is known to be wrong",
        ),
        (tally.shadow, "of policies in shadow neither limits nor what they would have contained before are counted"),
        (ran.duplicates, f"{ran.duplicates:,} tell of an event that another one tells better; each event counts once"),
        (ran.unread.count, f"{_counted(ran.unread.count, 'piece')} could not be read and count as nothing"),
    ]
    return [text for holds, text in told if holds]


def _days(tally: Tally) -> int:
    return 0 if tally.first_ns is None else (tally.last_ns - tally.first_ns) // _DAY_NS + 1


def _modes(counts: Mapping[str, int]) -> dict[str, int]:
    return {mode: counts.get(mode, 0) for mode in MODES}


def _ranked(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def _workloads(tally: Tally) -> list[dict[str, Any]]:
    top = sorted(tally.workloads.items(), key=lambda one: (-sum(one[1].values()), one[0]))[:_TOP]
    return [
        {
            "workload": name,
            "enforced": modes["enforce"],
            "asked": modes["approve"],
            "protected": name in tally.protected,
        }
        for name, modes in top
    ]


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
