"""What a person is asked: the plan, what made it a question, and what was doubted."""

from __future__ import annotations

from firebreak.cli.screens.console import Screen
from firebreak.cli.screens.incident_events import show_events
from firebreak.cli.screens.plan import show_plan
from firebreak.cli.screens.wording import Record, category, moment, part, rows, since, span, texts, where
from firebreak.core.incidents.setting_states import SIGNS

CHANGED = "This record was changed by somebody without the seal key, or sealed with a key that is not set here"

_LATE = "a yes is carried out if a fresh look shows the very same, else it is asked anew"


def show_question(screen: Screen, record: Record, now_ns: int) -> None:
    """All that an approval would be about."""
    plan, decision = part(record.get("plan")), part(record.get("decision"))
    screen.line(f"Asked: {category(record)}", "strong")
    screen.line(f"{where(record)}, incident {record['id']}")
    if record.get("seal") == "broken":
        screen.line(f"{CHANGED}: do not act on it", "bad")
    elif record.get("seal"):
        screen.line(f"The seal of this record is {record['seal']}; whoever carries it out verifies it first", "caution")
    suspects = ", ".join(texts(decision.get("suspects"))) or "none"
    screen.line(f"suspects: {suspects} ({decision.get('suspects_because')})", indent=2, hang=2)
    show_doubts(screen, record)
    show_events(screen, record)
    screen.heading(f"Plan {str(plan.get('digest'))[:12]}: {SIGNS['planned']} planned")
    show_plan(screen, plan)
    digest = str(part(record.get("question")).get("digest"))[:12]
    screen.line(f"Question {digest}, {expiry(record, now_ns)}: {where(record)}", "strong")
    show_unanswered(screen, record)


def show_doubts(screen: Screen, record: Record) -> None:
    """Why it is a question: what the policies ask or wait for, where no guard had to, and the guards' reasons."""
    decision = part(record.get("decision"))
    caps = heeded(decision)
    for reason in texts(decision.get("reasons")) if decision.get("wanted") == "approve" or not caps else []:
        screen.line(reason, indent=2, hang=2)
    for cap in caps:
        screen.line(f"{cap.get('kind')} {cap.get('name')}: {cap.get('reason')}", "caution", indent=2, hang=2)


def heeded(decision: Record) -> list[Record]:
    """The guards that had something to say: not a ceiling that leaves what the policies wanted anyway."""
    wanted = decision.get("wanted")
    return [cap for cap in rows(decision.get("caps")) if cap.get("name") != "ceiling" or cap.get("mode") != wanted]


def show_unanswered(screen: Screen, record: Record) -> None:
    """What happens if nobody answers an open question: until when that is stands beside it."""
    if record.get("phase") == "waiting":
        screen.line(str(record.get("until")).partition(". ")[2], hang=2)


def expiry(record: Record, now_ns: int) -> str:
    """Until when the question stands."""
    if record.get("phase") == "expired":
        return f"closed unanswered: {_LATE}"
    until = part(record.get("question")).get("expires")
    left = -since(until, now_ns)
    if left > 0:
        return f"to be answered within {span(left)}, by {moment(until)}"
    return f"expired {span(-left)} ago: {_LATE}"
