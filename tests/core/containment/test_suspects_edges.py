"""The edges of the rules by which suspects and refuges are found, and the reasons word for word: people act on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from firebreak.core.actions import suspects
from firebreak.core.actions.refuge import NoRefuge
from firebreak.core.actions.suspects import Suspicion
from firebreak.core.cloud_run.setting_names import DEFAULT_URI_DISABLED, EXECUTION, INGRESS, SPLIT
from firebreak.core.cloud_run.state import Setting
from firebreak.core.cloud_run.target import Kind, NotATarget, Target
from firebreak.core.cloud_run.workload import Revision, Workload
from firebreak.core.findings.container import Container
from firebreak.core.findings.finding import Finding
from firebreak.core.findings.notification import parse_notification
from tests.core.containment.refuges import find_refuge

READ = parse_notification((Path(__file__).parents[2] / "findings" / "v2.json").read_bytes()).finding
NONE = frozenset[str]()
EVENT = 2_500


def image(number: int) -> str:
    return f"sha256:{number:064x}"


def revision(number: int, *images: int, **changes: object) -> Revision:
    plain = Revision(f"r-{number}", number * 1000, None, gen1=False, digests=frozenset(map(image, images)))
    return replace(plain, **changes)  # type: ignore[arg-type]


ONE, TWO, THREE, FOUR = (revision(number, number) for number in (1, 2, 3, 4))


def target(kind: Kind = "service", named: str | None = None) -> Target:
    return Target("p", "l", kind, "svc", revision=named)


def service(*revisions: Revision, split: str) -> Workload:
    state: dict[str, Setting] = {SPLIT: split, INGRESS: "all", DEFAULT_URI_DISABLED: False}
    return Workload(target(), state, {}, revisions, None, {}, {}, settled=True)


def job(*executions: Revision, running: str) -> Workload:
    state: dict[str, Setting] = {f"{EXECUTION}{name}": "running" for name in running.split(",")}
    return Workload(target("job"), state, {}, executions, None, {}, {}, settled=True)


def finding(*images: int, named: str | None = None) -> Finding:
    containers = tuple(Container("app", "image", image(number)) for number in images)
    return replace(READ, target=target(named=named), containers=containers, event_ns=EVENT)


def find_suspects(told: Finding, seen: Workload, related: frozenset[str]) -> Suspicion:
    """Rule, revisions and reason alone."""
    return replace(suspects.find_suspects(told, seen, related), images=NONE, unplaced="")


def find_suspects_elsewhere(told: Finding, own: Suspicion, images: frozenset[str], there: Workload) -> Suspicion:
    """Rule, revisions and reason alone, of a finding whose containers are told."""
    found = suspects.find_suspects_elsewhere(replace(own, images=told.digests), images, there)
    return replace(found, images=NONE)


def test_related_findings_are_told_beside_the_revision_that_the_finding_names() -> None:
    suspicion = find_suspects(finding(named="r-3"), service(THREE, split="r-3=100"), frozenset({"r-3", "r-2", "r-1"}))

    assert suspicion == Suspicion(
        "named", frozenset({"r-1", "r-2", "r-3"}), "the finding names r-3, related findings name r-1, r-2"
    )


def test_where_nobody_else_names_any_the_reason_ends_with_the_finding() -> None:
    suspicion = find_suspects(finding(named="r-3"), service(THREE, split="r-3=100"), NONE)

    assert suspicion.reason == "the finding names r-3"


def test_carriers_and_what_related_findings_name_are_told_apart() -> None:
    seen = service(replace(ONE, digests=TWO.digests), TWO, THREE, split="r-1=10,r-2=40,r-3=50")
    alone = find_suspects(finding(2), seen, frozenset({"r-2"}))
    beside = find_suspects(finding(2), seen, frozenset({"r-2", "r-3"}))

    assert alone == Suspicion("digest", frozenset({"r-1", "r-2"}), "r-1, r-2 carries the image of the finding")
    assert beside == Suspicion(
        "digest",
        frozenset({"r-1", "r-2", "r-3"}),
        "r-1, r-2 carries the image of the finding, related findings name r-3",
    )


def test_an_image_that_no_reachable_revision_carries_is_said_to_be_on_none() -> None:
    reason = "no reachable revision carries the image digest of the finding"

    assert find_suspects(finding(1), service(ONE, TWO, split="r-2=100"), NONE) == Suspicion("unplaced", NONE, reason)


@pytest.mark.parametrize("related", ["r-2", "r-3"])
def test_what_related_findings_name_stands_beside_what_the_age_says_and_takes_the_place_of_nothing(
    related: str,
) -> None:
    """Else whoever has one more finding written would spare all the others."""
    seen = service(ONE, TWO, THREE, split="r-1=50,r-2=50")

    assert find_suspects(finding(), seen, frozenset({related, "r-3"})) == Suspicion(
        "older",
        frozenset({"r-1", "r-2", "r-3"}),
        "neither a revision nor an image digest is given: every reachable revision from before the event",
    )


def test_a_revision_made_at_the_very_time_of_the_event_is_not_from_before_it() -> None:
    at_once = revision(2, created_ns=EVENT)

    assert find_suspects(finding(), service(ONE, at_once, split="r-1=50,r-2=50"), NONE).revisions == {"r-1"}


def test_a_finding_about_nothing_that_firebreak_knows_names_no_revision() -> None:
    about_nothing = replace(finding(), target=NotATarget("somewhere else"))

    assert find_suspects(about_nothing, service(ONE, split="r-1=100"), NONE).rule == "older"


@pytest.mark.parametrize("running", ["r-3", "r-1,r-3", "r-1,r-2", "r-7"])
def test_a_job_s_executions_are_judged_by_digest_also_where_they_name_images_by_tag_alone(running: str) -> None:
    """What is not known convicts nobody, as what is known to be another does not."""
    seen = job(revision(1), revision(2), revision(3, 3), running=running)
    found = find_suspects(finding(9), seen, NONE)

    assert found.rule == "unplaced"
    assert ("the image of r-1" in found.reason) == ("r-1" in running)


def test_an_ended_execution_of_a_job_tells_of_its_image() -> None:
    """The job runs it again next time; a service's revision that nothing reaches does not."""
    both = (ONE, TWO)

    assert find_suspects(finding(1), job(*both, running="r-2"), NONE).revisions == {"r-1"}
    assert find_suspects(finding(1), service(*both, split="r-2=100"), NONE).revisions == NONE


def test_elsewhere_what_is_not_placed_at_home_is_not_placed_either() -> None:
    own = Suspicion("unplaced", NONE, "why")

    assert find_suspects_elsewhere(finding(1), own, NONE, service(ONE, split="r-1=100")) == own


def test_elsewhere_age_alone_convicts_nobody() -> None:
    own = Suspicion("older", frozenset({"r-9"}), "why")
    there = service(ONE, THREE, split="r-1=50,r-3=50")

    reason = "the suspects are inferred by age, which says nothing about other regions"

    assert find_suspects_elsewhere(finding(), own, NONE, there) == Suspicion("unplaced", NONE, reason)


def test_elsewhere_reachable_carriers_of_the_suspects_images_or_of_the_finding_s_are_suspect() -> None:
    own = Suspicion("named", frozenset({"r-9"}), "why")
    there = service(ONE, TWO, THREE, FOUR, split="r-1=30,r-2=30,r-4=40")
    by_both = find_suspects_elsewhere(finding(2), own, frozenset({image(1), image(3)}), there)

    assert by_both == Suspicion("digest", frozenset({"r-1", "r-2"}), "r-1, r-2 carries the image of a suspect")


def test_elsewhere_without_any_image_it_cannot_be_told_who_is_suspect() -> None:
    own = Suspicion("named", frozenset({"r-1", "r-3"}), "why")
    there = service(ONE, TWO, THREE, split="r-1=50,r-2=50")

    reason = "no image of a suspect is known"

    assert find_suspects_elsewhere(finding(), own, NONE, there) == Suspicion("unplaced", NONE, reason)


def test_elsewhere_a_reachable_revision_of_an_unknown_image_may_be_a_suspect() -> None:
    own = Suspicion("named", frozenset({"r-1"}), "why")
    there = service(ONE, replace(TWO, digests=NONE), split="r-1=50,r-2=50")
    images = frozenset({image(9)})
    reason = "the image of r-2 is not known"

    assert find_suspects_elsewhere(finding(), own, images, there) == Suspicion("unplaced", NONE, reason)
    assert find_suspects_elsewhere(finding(1), own, images, there).revisions == {"r-1"}


def test_elsewhere_a_name_alone_convicts_nobody_where_images_are_known() -> None:
    own = Suspicion("named", frozenset({"r-1"}), "why")
    reason = "no reachable revision carries the image of a suspect"
    there = service(ONE, split="r-1=100")

    assert find_suspects_elsewhere(finding(), own, frozenset({image(9)}), there) == Suspicion("absent", NONE, reason)


def test_a_refuge_from_an_unknown_image_is_taken_only_where_no_known_other_one_is_fit() -> None:
    """What is not known might be the same image."""
    unknown = revision(2)
    bad = frozenset({"r-3"})

    assert find_refuge((ONE, unknown, THREE), bad, bad) == ONE
    assert find_refuge((unknown, THREE), bad, bad) == unknown
    assert isinstance(find_refuge((unknown, THREE), bad, bad, "required"), NoRefuge)


def test_of_several_fit_revisions_the_newest_is_the_refuge_in_whatever_order_they_come() -> None:
    bad = frozenset({"r-4"})

    assert find_refuge((ONE, THREE, FOUR, TWO), bad, bad) == THREE
    assert find_refuge((TWO, FOUR, THREE, ONE), bad, bad, "required") == THREE


def test_the_image_of_any_suspect_counts_as_bad() -> None:
    """Also of one that serves nothing, and whatever suspects exist no more."""
    same = replace(ONE, name="r-0", created_ns=500)
    bad = frozenset({"r-1", "r-3", "r-8"})

    assert find_refuge((same, ONE, THREE), bad, frozenset({"r-3", "r-8"})) == same
    assert isinstance(find_refuge((same, ONE, THREE), bad, frozenset({"r-3"}), "required"), NoRefuge)


def test_a_refusal_tells_of_each_candidate_why() -> None:
    bad = frozenset({"r-3"})
    seen = (
        revision(1, 3),
        revision(2, fault="no such image"),
        revision(5, gen1=True, created_ns=900),
        THREE,
        FOUR,
        revision(7, created_ns=3_000),
    )
    refuge = find_refuge(seen, bad, bad, "required")

    assert refuge == NoRefuge(
        "no revision can take over: r-1 has the same image; r-4 is not older than the oldest serving suspect; "
        "r-7 is not older than the oldest serving suspect; r-3 is suspect; r-2 is not ready (no such image); "
        "r-5 runs on gen1, where threats are not detected"
    )


def test_a_refusal_tells_of_ten_candidates_at_most() -> None:
    several = tuple(revision(number, fault="f") for number in range(1, 12))
    refuge = find_refuge((*several, revision(12)), frozenset({"r-12"}), frozenset({"r-12"}))

    assert isinstance(refuge, NoRefuge)
    assert refuge.reason.count(";") == 9
    assert refuge.reason.endswith("r-3 is not ready (f)")


@pytest.mark.parametrize(("suspects", "serving"), [("r-1", "r-2"), ("r-9", "r-9")])
def test_without_a_suspect_that_serves_and_exists_there_is_nothing_to_be_older_than(
    suspects: str, serving: str
) -> None:
    refuge = find_refuge((ONE, TWO), frozenset({suspects}), frozenset({serving}))

    assert refuge == NoRefuge("no serving suspect revision exists any more")
