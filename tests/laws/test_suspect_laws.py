"""Suspects and refuge, drawn: as the rules have them, written out one sentence at a time, and what follows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from firebreak.core.actions.refuge import NoRefuge, find_refuge
from firebreak.core.actions.suspects import find_suspects, find_suspects_elsewhere, images_of
from firebreak.core.cloud_run.setting_names import LATEST, SPLIT, TAG
from firebreak.core.cloud_run.state import Setting
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Revision, Workload
from firebreak.core.findings.container import Container
from firebreak.core.findings.finding import Finding
from firebreak.core.findings.notification import parse_notification
from tests.laws import suspects_by_the_book as book

READ = parse_notification((Path(__file__).parents[1] / "findings" / "v2.json").read_bytes()).finding
TARGET = Target("p", "l", "service", "svc")
NONE = frozenset[str]()
IMAGES = tuple(f"sha256:{number:064x}" for number in range(5))
NAMES = tuple(f"r-{number}" for number in range(5))
DRAWN = settings(max_examples=400)


def some_of(several: tuple[str, ...], most: int) -> st.SearchStrategy[frozenset[str]]:
    """Up to so many of them, in a third none: one draw, where a set of draws would be most of what a test takes."""
    every = [frozenset(one) for size in range(1, most + 1) for one in combinations(several, size)]
    return st.sampled_from([*every, *[NONE] * (len(every) // 2)])


images = some_of(IMAGES, 3)
names = some_of(NAMES, 2)
digest = st.sampled_from([*[None] * len(IMAGES), *IMAGES])
counts = st.integers(1, len(NAMES))
once_in_four = st.sampled_from([False, False, False, True])
faults = st.sampled_from([None, None, None, "broken"])
beside_or_not = st.sampled_from([True, True, False])
qualities = st.tuples(st.integers(1, 4), faults, once_in_four, images, beside_or_not, once_in_four)
percents = st.sampled_from([100, 60, 0])
tags = st.sampled_from([(), ("blue",), ("blue", "green")])
entries_of = {count: st.sampled_from([*NAMES[:count], LATEST]) for count in range(1, len(NAMES) + 1)}
latest_of = {count: st.sampled_from(NAMES[:count]) for count in range(1, len(NAMES) + 1)}
containers_of = st.sampled_from([0, 1, 1, 2, 3])
named_or_not = st.sampled_from([*[None] * len(NAMES), *NAMES])
moments = st.integers(0, 5)


@st.composite
def workloads(draw: st.DrawFn) -> Workload:
    """One to five revisions, perhaps with one sidecar for all; some images unknown; traffic by percent, tag, LATEST."""
    several = NAMES[: draw(counts)]
    sidecar = draw(images)
    revisions = tuple(
        Revision(name, age * 1000, fault, gen1=gen1, digests=own | (sidecar if beside else NONE), by_tag=by_tag)
        for name, (age, fault, gen1, own, beside, by_tag) in ((name, draw(qualities)) for name in several)
    )
    entries = entries_of[len(several)]
    first, second = draw(entries), draw(entries)
    percent = draw(percents)
    split = f"{first}=100" if first == second else f"{first}={percent},{second}={100 - percent}"
    state: dict[str, Setting] = {SPLIT: split}
    state |= {f"{TAG}{tag}": draw(entries) for tag in draw(tags)}
    latest = draw(latest_of[len(several)])
    return Workload(TARGET, state, {}, revisions, latest, {}, {}, settled=True)


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    """One that names a revision, or containers by id, by address or by neither, or nothing."""
    containers = tuple(Container("app", "image", draw(digest), draw(digest)) for _ in range(draw(containers_of)))
    named = draw(named_or_not)
    event = draw(moments) * 1000
    return replace(READ, target=replace(TARGET, revision=named), containers=containers, event_ns=event)


@dataclass(frozen=True)
class Drawn:
    """What there is, what is told of it, and what others say."""

    workload: Workload
    finding: Finding
    related: frozenset[str]
    disputed: frozenset[str]


drawn = st.builds(Drawn, workloads(), findings(), names, names)


def refuge(on: Drawn, suspects: frozenset[str], *, different: bool = False) -> Revision | NoRefuge:
    known = images_of(suspects, on.workload.revisions, find_suspects(on.finding, on.workload, NONE).images)
    wanted: Literal["preferred", "required"] = "required" if different else "preferred"
    serving = on.workload.serving & suspects
    against = dict.fromkeys(on.disputed, "is disputed")
    return find_refuge(on.workload.revisions, suspects, serving, known, wanted, against)


@DRAWN
@given(drawn)
def test_suspects_are_those_of_the_first_rule_that_applies_and_what_related_findings_name(on: Drawn) -> None:
    found = find_suspects(on.finding, on.workload, on.related)
    suspects, asks = book.suspects_of(on.finding, on.workload, set(on.related))

    assert found.revisions == suspects
    assert bool(found.unplaced) == asks
    assert (found.rule == "unplaced") == (asks and not suspects)


@DRAWN
@given(drawn, st.booleans())
def test_the_refuge_is_the_newest_of_those_that_are_left(on: Drawn, different: bool) -> None:  # noqa: FBT001 - drawn
    suspects = find_suspects(on.finding, on.workload, on.related).revisions
    found = refuge(on, suspects, different=different)
    known = book.images_of(set(suspects), on.finding, on.workload)
    name, disputed = book.refuge_of(set(suspects), known, on.workload, set(on.disputed), different=different)

    assert (found.name if isinstance(found, Revision) else None) == name
    assert isinstance(found, Revision) or found.disputed == disputed


@DRAWN
@given(drawn, workloads())
def test_in_a_further_region_suspects_are_known_by_their_images(on: Drawn, there: Workload) -> None:
    own = find_suspects(on.finding, on.workload, on.related)
    known = images_of(own.revisions, on.workload.revisions, own.images)
    found = find_suspects_elsewhere(own, known, there)
    suspects = book.suspects_elsewhere(set(own.revisions), on.finding, on.workload, there)
    asks = own.rule in ("older", "unplaced") or suspects is None

    assert (found.rule == "unplaced") == asks
    assert suspects is None or asks or set(found.revisions) == suspects


@DRAWN
@given(drawn)
def test_a_refuge_is_never_a_suspect_nor_disputed_nor_as_young_as_one_that_serves(on: Drawn) -> None:
    suspects = find_suspects(on.finding, on.workload, on.related).revisions
    found = refuge(on, suspects)
    ages = [one.created_ns for one in on.workload.revisions if one.name in suspects & on.workload.serving]

    if isinstance(found, Revision):
        assert found.name not in suspects | on.disputed
        assert found.created_ns < min(ages)
        assert not found.fault


@DRAWN
@given(drawn, names)
def test_more_that_others_name_makes_more_suspects_and_never_fewer(on: Drawn, more: frozenset[str]) -> None:
    before = find_suspects(on.finding, on.workload, on.related).revisions
    after = find_suspects(on.finding, on.workload, on.related | more).revisions

    assert after == before | more


@DRAWN
@given(drawn)
def test_where_no_image_is_wholly_known_no_refuge_is_a_different_one(on: Drawn) -> None:
    """An unknown image is not a different one."""
    suspects = find_suspects(on.finding, on.workload, on.related).revisions
    by_tag = tuple(replace(one, by_tag=True) for one in on.workload.revisions)
    after = refuge(replace(on, workload=replace(on.workload, revisions=by_tag)), suspects, different=True)

    assert isinstance(after, NoRefuge)


@DRAWN
@given(drawn, st.randoms())
def test_the_order_in_which_revisions_are_listed_decides_nothing(on: Drawn, shuffled: object) -> None:
    revisions = list(on.workload.revisions)
    shuffled.shuffle(revisions)  # type: ignore[attr-defined]  # Hypothesis's own random
    other = replace(on, workload=replace(on.workload, revisions=tuple(revisions)))
    suspects = find_suspects(on.finding, on.workload, on.related)

    assert find_suspects(other.finding, other.workload, other.related) == suspects
    assert refuge(other, suspects.revisions) == refuge(on, suspects.revisions)
