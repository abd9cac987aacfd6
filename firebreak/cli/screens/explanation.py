"""An explanation as one JSON object, which is also what the screen shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from firebreak.core.facts import source_of
from firebreak.core.incidents.record import record, shadowed
from firebreak.core.policy.condition import Traced
from firebreak.core.policy.policy import Step
from firebreak.core.secrets.redaction import safe_value
from firebreak.core.ternary import Truth
from firebreak.core.timestamps import format_instant

if TYPE_CHECKING:
    from firebreak.response.explain.explain import Explanation, View

_PLAIN = (str, int, float, bool)


def explanation_json(explained: Explanation, folders: tuple[str, ...], *, live: bool) -> dict[str, Any]:
    """The finding, the evidence, and what each folder of policies makes of them; `different` compares the first two."""
    confirmed = explained.confirmed
    views = [_view(view, folder, explained) for view, folder in zip(explained.views, folders, strict=True)]
    return {
        "live": live,
        "at": format_instant(explained.now_ns),
        "finding": record(explained.views[0].incident)["finding"],
        "confirmed": None if confirmed is None else {"trust": confirmed.trust, "reason": confirmed.reason},
        "assumed": safe_value({**explained.assumed.facts, **dict.fromkeys(sorted(explained.assumed.unknown))}),
        "facts": safe_value({name: value for name, value in explained.facts.items() if source_of(name) == "finding"}),
        "evidence": [
            {"source": one.source, "facts": safe_value(one.facts), "gap": safe_value(one.gap), "took_ms": one.took_ms}
            for one in explained.evidence
        ],
        **views[0],
        "against": views[1] if len(views) > 1 else None,
        "different": any(view.outcome != explained.views[0].outcome for view in explained.views),
    }


def _view(view: View, folder: str, explained: Explanation) -> dict[str, Any]:
    whole = record(view.incident)
    return {
        "folder": folder,
        "policy_set": view.policies.digest,
        "declined": view.declined,
        "policies": list(_policies(view, explained)),
        "decision": whole["decision"],
        "shadow": [shadowed(one) for one in view.shadow],
        "unasked": [{"name": cap.name, "kind": cap.kind, "reason": cap.reason} for cap in view.unasked],
        "steps": [_step(one) for one in view.policy.then] if view.policy else [],
        "plan": whole["plan"],
    }


def _policies(view: View, explained: Explanation) -> Iterator[dict[str, Any]]:
    """Every policy; `decides` where the plan is drawn from it, `tried` as far as the first true one out of shadow."""
    tried = True
    for policy, one in zip(view.policies.policies, view.considered, strict=True):
        yield {
            "policy": one.policy,
            "mode": one.mode.word,
            "shadow": policy.shadow,
            "truth": one.truth.word,
            "tried": tried or policy.shadow,
            "decides": view.policy is not None and view.policy.id == one.policy,
            "clauses": [_clause(clause, explained) for clause in one.trace],
        }
        tried = tried and (policy.shadow or one.truth is not Truth.TRUE)


def _clause(traced: Traced, explained: Explanation) -> dict[str, Any]:
    return {**clause_json(traced), "from": _origin(traced.fact, explained)}


def clause_json(traced: Traced) -> dict[str, Any]:
    """How one clause went, as records have it."""
    return {
        "fact": traced.fact,
        "operator": str(traced.operator),
        "wanted": plain(traced.operand),
        "value": plain(traced.value),
        "truth": traced.truth.word,
        "within": traced.within,
    }


def plain(value: object) -> Any:  # noqa: ANN401 - JSON
    """What policies compare, as JSON."""
    if isinstance(value, tuple | frozenset):
        return safe_value([plain(one) for one in value])
    return safe_value(value if value is None or isinstance(value, _PLAIN) else str(value))


def _origin(fact: str, explained: Explanation) -> str:
    """Where a value comes from, or why there is none."""
    source = source_of(fact)
    if fact in explained.assumed.facts or fact in explained.assumed.unknown:
        return "assumed"
    if source == "finding":
        return "the finding"
    evidence = next((one for one in explained.evidence if one.source == source), None)
    if evidence is None:
        return "no such source"
    if fact in explained.facts:
        return source
    return str(safe_value(evidence.gap)) if evidence.gap else f"{source} does not say"


def _step(step: Step) -> dict[str, Any]:
    return {"action": step.action, "otherwise": [_step(one) for one in step.otherwise]}
