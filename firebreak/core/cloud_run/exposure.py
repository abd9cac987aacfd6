"""Every open path from a caller to a revision: where a request comes from, who may send it, which revision answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from firebreak.core.cloud_run.scaling import SUSPENDED
from firebreak.core.cloud_run.setting_names import DEFAULT_URI_DISABLED, INGRESS, INVOKER_CHECK_OFF, SCALING
from firebreak.core.cloud_run.workload import Workload

Origin = Literal["internet", "load_balancer", "internal"]
Caller = Literal["anyone", "any_account", "named", "iap", "unknown"]

ORIGINS: dict[Origin, str] = {
    "internet": "the internet",
    "load_balancer": "load balancers",
    "internal": "the project's own networks",
}
CALLERS: dict[Caller, str] = {
    "anyone": "anybody",
    "any_account": "any Google account",
    "named": "members with a grant of their own",
    "iap": "whomever Identity-Aware Proxy lets in",
    "unknown": "callers that could not be read",
}
_ADMITS: dict[str, tuple[Origin, ...]] = {
    "all": ("internet", "load_balancer", "internal"),
    "internal": ("internal",),
    "internal-and-cloud-load-balancing": ("load_balancer", "internal"),
    "none": (),
}


@dataclass(frozen=True, slots=True, order=True)
class ExposurePath:
    """One open path. `percent` is its share of requests to the service's URL; a path through a `tag` has 0 percent."""

    revision: str
    origin: Origin
    caller: Caller
    tag: str
    percent: int


def exposure_paths(workload: Workload) -> frozenset[ExposurePath]:
    """Every open path to the service; grants on the project, a folder or the organization are not read."""
    # An ingress that this version does not know admits everything that one could.
    origins = _ADMITS.get(str(workload.state.get(INGRESS)), _ADMITS["all"])
    address = not workload.state.get(DEFAULT_URI_DISABLED)
    return frozenset(
        ExposurePath(revision, origin, caller, tag, percent)
        for revision, tag, percent in _served_revisions(workload)
        for origin in origins
        # Without its own address a service is still behind a load balancer, if it has one.
        if address or origin == "load_balancer"
        for caller in _callers(workload)
    )


def exposure_sentences(ways: frozenset[ExposurePath]) -> list[str]:
    """One sentence for each revision that can be reached: from where, by whom, and how."""
    lines = []
    for revision in sorted({way.revision for way in ways}):
        own = [way for way in ways if way.revision == revision]
        origins = [text for origin, text in ORIGINS.items() if any(way.origin == origin for way in own)]
        callers = [text for caller, text in CALLERS.items() if any(way.caller == caller for way in own)]
        shares = [f"{percent} % of the traffic" for percent in sorted({way.percent for way in own} - {0})]
        tags = [f"tag {tag}" for tag in sorted({way.tag for way in own} - {""})]
        lines.append(
            f"suspect {revision} can still be reached from {_list(origins)} by {_list(callers)}: {_list(shares + tags)}"
        )
    return lines


def _served_revisions(workload: Workload) -> Iterator[tuple[str, str, int]]:
    """Revision, tag and percent. With manual scaling at 0, a revision that has only a tag still starts on a request.

    Source: cloud.google.com: run/docs/configuring/services/manual-scaling.
    """
    off = workload.state.get(SCALING) == SUSPENDED
    shared = {name for name, percent in workload.effective.items() if percent}
    for name in sorted(shared if not off else ()):
        yield name, "", workload.effective[name]
    for tag, name in sorted(workload.effective_tags.items()):
        if not off or name not in shared:
            yield name, tag, 0


def _callers(workload: Workload) -> frozenset[Caller]:
    if workload.iap:
        return frozenset({"iap"})
    if workload.state.get(INVOKER_CHECK_OFF):
        return frozenset({"anyone"})
    if workload.invokers is None:
        return frozenset({"unknown"})
    kinds: dict[str, Caller] = {"allUsers": "anyone", "allAuthenticatedUsers": "any_account"}
    return frozenset(kinds.get(member, "named") for member in workload.invokers)


def _list(texts: list[str]) -> str:
    return f"{', '.join(texts[:-1])} and {texts[-1]}" if len(texts) > 1 else "".join(texts)
