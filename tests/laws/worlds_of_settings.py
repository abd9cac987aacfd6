"""Hypothesis strategies: services in every state that edits may meet."""

from __future__ import annotations

from hypothesis import strategies as st

from core.action import State
from core.case import Case
from core.suspects import Suspicion
from core.target import Target
from core.workload import DEFAULT_URI_DISABLED, INGRESS, LATEST, SPLIT, TAG, Revision, references, split_text

TARGET = Target("shop-prod", "europe-west1", "service", "checkout", project_id="shop-prod")
NAMES = tuple(f"checkout-0000{number}" for number in range(1, 6))
INGRESSES = ("all", "internal", "internal-and-cloud-load-balancing", "none")


@st.composite
def revision_lists(draw: st.DrawFn) -> tuple[Revision, ...]:
    """One to five revisions, oldest first, some unready, some gen1, some sharing an image."""
    count = draw(st.integers(1, len(NAMES)))
    return tuple(
        Revision(
            name=NAMES[index],
            created_ns=index * 1000,
            fault=draw(st.sampled_from([None, None, None, "HEALTH_CHECK_CONTAINER_ERROR"])),
            gen1=draw(st.sampled_from([False, False, False, True])),
            digests=frozenset({f"sha256:{draw(st.integers(0, 2)):064x}"}),
        )
        for index in range(count)
    )


@st.composite
def splits(draw: st.DrawFn, names: tuple[str, ...]) -> dict[str, int]:
    """Shares that total 100 over some revisions and LATEST; zero shares may be listed too."""
    chosen = draw(st.lists(st.sampled_from([*names, LATEST]), min_size=1, max_size=3, unique=True))
    cuts = sorted(draw(st.lists(st.integers(0, 100), min_size=len(chosen) - 1, max_size=len(chosen) - 1)))
    bounds = [0, *cuts, 100]
    return {name: bounds[index + 1] - bounds[index] for index, name in enumerate(chosen)}


@st.composite
def states(draw: st.DrawFn, names: tuple[str, ...]) -> State:
    """Traffic, tags and doors of a service."""
    tags = draw(st.dictionaries(st.sampled_from(["canary", "blue", "old"]), st.sampled_from([*names, LATEST])))
    return {
        SPLIT: split_text(draw(splits(names))),
        INGRESS: draw(st.sampled_from(INGRESSES)),
        DEFAULT_URI_DISABLED: draw(st.booleans()),
        **{TAG + tag: name for tag, name in tags.items()},
    }


@st.composite
def situations(draw: st.DrawFn) -> tuple[State, Case]:
    """A service's settings, and a case against some of its revisions."""
    revisions = draw(revision_lists())
    names = tuple(one.name for one in revisions)
    state = draw(states(names))
    ready = [one.name for one in revisions if not one.fault]
    latest = ready[-1] if ready else None
    uses = references(state, latest)
    reachable = frozenset(name for name, use in uses.items() if use.percent or use.tags)
    suspects = frozenset(draw(st.sets(st.sampled_from(names), min_size=1)))
    unsupported = frozenset(draw(st.sets(st.just(f"{INGRESS}=none"))))
    return state, Case(TARGET, Suspicion("named", suspects, "drawn"), revisions, latest, reachable, unsupported)
