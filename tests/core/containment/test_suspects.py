"""Suspects by three rules, and the refuge: the newest good revision from before them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from firebreak.core.actions.refuge import NoRefuge
from firebreak.core.actions.suspects import find_suspects
from firebreak.core.cloud_run.setting_names import DEFAULT_URI_DISABLED, INGRESS, SPLIT
from firebreak.core.cloud_run.state import Setting
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Revision, Workload
from firebreak.core.findings.container import Container
from firebreak.core.findings.finding import Finding
from firebreak.core.findings.notification import parse_notification
from tests.core.containment.refuges import find_refuge

OLD, MID, BAD, NEW = "svc-1", "svc-2", "svc-3", "svc-4"
EVENT = 3_500


def revision(name: str, **changes: object) -> Revision:
    number = int(name[-1])
    plain = Revision(name, number * 1000, None, gen1=False, digests=frozenset({f"sha256:{number:064x}"}))
    return replace(plain, **changes)  # type: ignore[arg-type]


def workload(*revisions: Revision, split: str, latest: str | None = None, **tags: str) -> Workload:
    state: dict[str, Setting] = {SPLIT: split, INGRESS: "all", DEFAULT_URI_DISABLED: False}
    state |= {f"service.traffic.tag.{tag}": name for tag, name in tags.items()}
    target = Target("p", "l", "service", "svc")
    return Workload(target, state, {"service": '"1"'}, revisions, latest, {}, {}, settled=True)


def finding(*, names: str | None = None, digest: int | None = None) -> Finding:
    body = (Path(__file__).parents[2] / "findings" / "v2.json").read_bytes()
    read = parse_notification(json.dumps(json.loads(body)).encode()).finding
    containers = (Container("app", "image", f"sha256:{digest:064x}"),) if digest else ()
    return replace(
        read, target=Target("p", "l", "service", "svc", revision=names), containers=containers, event_ns=EVENT
    )


FOUR = tuple(revision(name) for name in (OLD, MID, BAD, NEW))


def test_a_revision_that_the_finding_names_is_the_suspect() -> None:
    """Whatever image or age it has."""
    suspicion = find_suspects(finding(names=BAD, digest=1), workload(*FOUR, split=f"{BAD}=100"), frozenset())

    assert suspicion.rule == "named"
    assert suspicion.revisions == {BAD}


def test_a_revision_that_a_related_finding_names_is_suspect_too() -> None:
    """Beside the finding's own, so that it cannot become the refuge."""
    suspicion = find_suspects(finding(digest=3), workload(*FOUR, split=f"{BAD}=100"), frozenset({MID}))

    assert suspicion.revisions == {BAD, MID}


def test_with_an_image_digest_its_reachable_carriers_are_suspect() -> None:
    """By percent, by tag, and by what LATEST means now."""
    same = frozenset({"sha256:" + f"{3:064x}"})
    revisions = (revision(OLD, digests=same), revision(MID, digests=same), revision(BAD), revision(NEW, digests=same))
    service = workload(*revisions, split=f"{BAD}=90,LATEST=10", latest=NEW, canary=MID)
    suspicion = find_suspects(finding(digest=3), service, frozenset())

    assert suspicion.rule == "digest"
    assert suspicion.revisions == {BAD, MID, NEW}


def test_latest_meaning_a_newer_fixed_build_leaves_no_carrier() -> None:
    """A digest that no reachable revision carries convicts nobody."""
    suspicion = find_suspects(finding(digest=3), workload(*FOUR, split="LATEST=100", latest=NEW), frozenset())

    assert suspicion.rule == "unplaced"
    assert suspicion.revisions == frozenset()


def test_where_no_image_of_a_revision_is_known_the_finding_s_convicts_nobody() -> None:
    """Knowing less must not make Firebreak act where knowing more would have made it ask."""
    unknown = tuple(replace(one, digests=frozenset[str]()) for one in FOUR)
    suspicion = find_suspects(finding(digest=3), workload(*unknown, split=f"{BAD}=100"), frozenset())

    assert suspicion.rule == "unplaced"
    assert suspicion.revisions == frozenset()


def test_without_name_and_digest_every_reachable_revision_from_before_the_event_is_suspect() -> None:
    """A revision made after the event did not run the binary."""
    service = workload(*FOUR, split=f"{MID}=50,{BAD}=25,{NEW}=25")
    suspicion = find_suspects(finding(), service, frozenset())

    assert suspicion.rule == "older"
    assert suspicion.revisions == {MID, BAD}


def test_the_refuge_is_the_newest_ready_revision_older_than_the_oldest_serving_suspect() -> None:
    """Not merely older than the newest suspect."""
    refuge = find_refuge(FOUR, frozenset({MID, NEW}), frozenset({MID, NEW}))

    assert isinstance(refuge, Revision)
    assert refuge.name == OLD


def test_a_suspect_with_only_a_tag_does_not_set_the_age() -> None:
    """It loses its tag, but traffic need not go back beyond it."""
    refuge = find_refuge(FOUR, frozenset({OLD, NEW}), frozenset({NEW}))

    assert isinstance(refuge, Revision)
    assert refuge.name == BAD


@pytest.mark.parametrize(
    ("changes", "why"), [({"fault": "HEALTH_CHECK_CONTAINER_ERROR"}, "not ready"), ({"gen1": True}, "gen1")]
)
def test_unready_and_gen1_revisions_are_passed_over(changes: dict[str, object], why: str) -> None:
    """A refuge must serve, and must be watched."""
    two = (revision(OLD), revision(MID, **changes), revision(BAD))
    refuge = find_refuge(two, frozenset({BAD}), frozenset({BAD}))
    none = find_refuge(two[1:], frozenset({BAD}), frozenset({BAD}))

    assert isinstance(refuge, Revision)
    assert refuge.name == OLD
    assert isinstance(none, NoRefuge)
    assert why in none.reason


def test_another_image_is_preferred_and_can_be_demanded() -> None:
    """The same image is the same hole."""
    same = frozenset({"sha256:" + f"{3:064x}"})
    three = (revision(OLD), revision(MID, digests=same), revision(BAD))
    only_same = three[1:]

    preferred = find_refuge(three, frozenset({BAD}), frozenset({BAD}))
    accepted = find_refuge(only_same, frozenset({BAD}), frozenset({BAD}))
    demanded = find_refuge(only_same, frozenset({BAD}), frozenset({BAD}), "required")

    assert isinstance(preferred, Revision)
    assert preferred.name == OLD
    assert isinstance(accepted, Revision)
    assert isinstance(demanded, NoRefuge)


def test_the_only_revision_has_no_refuge() -> None:
    """And the refusal says so for each candidate."""
    refuge = find_refuge((revision(BAD),), frozenset({BAD}), frozenset({BAD}))

    assert isinstance(refuge, NoRefuge)
    assert BAD in refuge.reason
