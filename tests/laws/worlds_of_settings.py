"""Hypothesis strategies: targets of every kind in every state that edits may meet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

from hypothesis import strategies as st

from firebreak.core.actions.case import EditContext
from firebreak.core.actions.suspects import Suspicion
from firebreak.core.cloud_run.iam_grants import Grant
from firebreak.core.cloud_run.setting_names import (
    ACCOUNT,
    CANCELLED,
    DEFAULT_URI_DISABLED,
    DISABLED,
    ENABLED,
    EXECUTION,
    INGRESS,
    INVOKER_CHECK_OFF,
    LATEST,
    POOL_INSTANCES,
    POOL_SPLIT,
    RUNNING,
    SCALING,
    SPLIT,
    TAG,
)
from firebreak.core.cloud_run.state import State
from firebreak.core.cloud_run.target import Kind, Target
from firebreak.core.cloud_run.workload import Revision, Workload, references, split_text
from firebreak.core.containment.active_containment import Standing, merge_settings
from firebreak.core.containment.restoration import released_keys

NAMES = tuple(f"checkout-0000{number}" for number in range(1, 6))
INGRESSES = ("all", "internal", "internal-and-cloud-load-balancing", "none")
CONDITION = json.dumps({"expression": "request.time < timestamp('2027-01-01T00:00:00Z')", "title": "a | b"})


@cache
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


@cache
@st.composite
def splits(draw: st.DrawFn, names: tuple[str, ...]) -> dict[str, int]:
    """Shares that total 100 over some revisions and LATEST; zero shares may be listed too."""
    chosen = draw(st.lists(st.sampled_from([*names, LATEST]), min_size=1, max_size=3, unique=True))
    cuts = sorted(draw(st.lists(st.integers(0, 100), min_size=len(chosen) - 1, max_size=len(chosen) - 1)))
    bounds = [0, *cuts, 100]
    return {name: bounds[index + 1] - bounds[index] for index, name in enumerate(chosen)}


@cache
def grants(surface: str) -> st.SearchStrategy[State]:
    """Members of some roles, the public among them, with and without conditions."""
    every = [
        Grant(role, member, text, "a | b" if text else "")
        for role in ("roles/run.invoker", "roles/run.admin", "organizations/1/roles/own")
        for member in ("allUsers", "allAuthenticatedUsers", "user:ann@shop.example")
        for text in ("", CONDITION)
    ]
    chosen = st.lists(st.sampled_from(every), max_size=4)
    return chosen.map(lambda grants: {grant.key(surface): grant.value for grant in grants})


@cache
@st.composite
def services(draw: st.DrawFn, names: tuple[str, ...]) -> State:
    """Traffic, tags, doors, scaling and grants of a service."""
    tags = draw(st.dictionaries(st.sampled_from(["canary", "blue", "old"]), st.sampled_from([*names, LATEST])))
    return {
        SPLIT: split_text(draw(splits(names))),
        INGRESS: draw(st.sampled_from(INGRESSES)),
        DEFAULT_URI_DISABLED: draw(st.booleans()),
        INVOKER_CHECK_OFF: draw(st.booleans()),
        SCALING: draw(st.sampled_from(["automatic 0-100", "automatic 2-unset", "manual 3", "manual 0"])),
        **{TAG + tag: name for tag, name in tags.items()},
        **draw(grants("service_iam")),
    }


@cache
@st.composite
def pools(draw: st.DrawFn, names: tuple[str, ...]) -> State:
    """Instances of a worker pool: how many, and of which revisions."""
    count = draw(st.sampled_from([None, 0, 1, 5]))
    return {POOL_SPLIT: split_text(draw(splits(names))), **({} if count is None else {POOL_INSTANCES: count})}


@cache
@st.composite
def jobs(draw: st.DrawFn, names: tuple[str, ...]) -> State:
    """What runs of a job or was cancelled, and who may run it."""
    runs = draw(st.dictionaries(st.sampled_from(names), st.sampled_from([RUNNING, CANCELLED])))
    return {**{f"{EXECUTION}{name}": word for name, word in runs.items()}, **draw(grants("job_iam"))}


@cache
@st.composite
def accounts(draw: st.DrawFn) -> State:
    """Whether each account that suspects run as is enabled; a project's default one may be among them."""
    emails = st.sampled_from(["pay@shop-prod.iam.gserviceaccount.com", "1234567-compute@developer.gserviceaccount.com"])
    words = draw(st.dictionaries(emails, st.sampled_from([ENABLED, DISABLED])))
    return {f"{ACCOUNT}{email}": word for email, word in words.items()}


TARGET = Target("shop-prod", "europe-west1", "service", "checkout", project_id="shop-prod")
STATES: Mapping[Kind, Callable[[tuple[str, ...]], st.SearchStrategy[State]]] = {
    "service": services,
    "worker_pool": pools,
    "job": jobs,
    "service_account": lambda _: st.just({}),
}


@cache
@st.composite
def situations(draw: st.DrawFn, kind: Kind = "service") -> tuple[State, EditContext]:
    """A target's settings, and a case against some of its revisions."""
    revisions = draw(revision_lists())
    names = tuple(one.name for one in revisions)
    identities = draw(accounts())
    state = {**draw(STATES[kind](names)), **identities}
    ready = [one.name for one in revisions if not one.fault]
    latest = ready[-1] if ready else None
    uses = references(state, latest)
    reachable = frozenset(name for name, use in uses.items() if use.percent or use.tags)
    suspects = frozenset(draw(st.sets(st.sampled_from(names), min_size=1)))
    unsupported = frozenset(draw(st.sets(st.just(f"{INGRESS}=none"))))
    target = Target("shop-prod", "europe-west1", kind, "checkout", project_id="shop-prod")
    case = EditContext(target, Suspicion("named", suspects, "drawn"), revisions, latest, reachable, unsupported)
    emails = sorted(key.removeprefix(ACCOUNT) for key in identities)
    return state, replace(case, accounts=tuple(target.account(email) for email in emails))


def with_every_ingress(state: State, case: EditContext) -> Iterator[tuple[State, EditContext]]:
    """The same with every ingress, where the API accepts `none` and where it does not: too telling to be drawn."""
    for ingress, unsupported in product(INGRESSES, (frozenset[str](), frozenset({f"{INGRESS}=none"}))):
        yield {**state, **({INGRESS: ingress} if INGRESS in state else {})}, replace(case, unsupported=unsupported)


@st.composite
def edits_by_hand(draw: st.DrawFn, state: State) -> dict[str, Any]:
    """Some of the settings as a person might change them: to another value of their type, or away altogether."""
    others: dict[type, list[Any]] = {bool: [True, False], int: [0, 1, 7], str: ["by hand", "LATEST=100", "manual 1"]}
    keys = draw(st.lists(st.sampled_from(sorted(state)), unique=True, max_size=3))
    return {key: draw(st.sampled_from([None, *others[type(state[key])]])) for key in keys}


def given_back(now: State, standing: Standing, wanted: State, case: EditContext) -> tuple[State, dict[str, str]]:
    """The settings once a release has restored what is due, and what it tells of each setting."""
    there = Workload(case.target, now, {}, case.revisions, case.latest, {}, {}, settled=True, updated_ns=0)
    keys = released_keys(standing, wanted, there)
    due = {one.key: one.after for one in keys if one.result == "due"}
    return merge_settings(now, due), {one.key: one.result for one in keys}
