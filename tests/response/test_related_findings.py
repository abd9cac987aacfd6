"""Other findings on the workload: whose word aims, whose is only shown, and what is asked where they are too many."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from firebreak.core.incidents.incident import Incident
from sandbox.blueprint import digest_of
from sandbox.scc.notification_variants import muted
from sandbox.scc.notifications import Pair
from sandbox.scc.security_center import put_finding
from sandbox.wire import Fault
from sandbox.world import World
from tests.laws.grounds import GROUNDS
from tests.response.conversation import asking, cautions, now, phase, reasons, say, writes
from tests.response.harness import ALWAYS, BAD, GOOD, OLD, Line, Lines, world_of
from tests.response.test_pools_and_jobs import STOP_AND_BLOCK, split
from tests.response.test_several_regions import OTHER_GOOD, THERE, THERE_TOO, serving
from tests.response.test_several_regions import world_of as two_regions

pytestmark = pytest.mark.thorough

FOREIGN = "9999"
ON = "services/checkout/revisions"
MANY = 1_001
BY_FACTS = """
id: by-{name}
mode: enforce
when: {{finding.category: "Execution: Added Malicious Binary Executed", {fact}}}
then: [{{action: cut_traffic}}]
examples:
  - {{given: {{{given}}}, expect: {{mode: enforce}}}}
  - {{given: {{finding.category: "Reverse Shell"}}, expect: nothing}}
"""
CURIOUS = (
    BY_FACTS.format(name="count", fact="related.count: {at_least: 1}", given="related.count: 2"),
    BY_FACTS.format(
        name="category",
        fact='related.categories: {contains_any: ["Reverse Shell"]}',
        given='related.categories: ["Reverse Shell"]',
    ),
    BY_FACTS.format(name="recurrence", fact="recurrence.count: {at_least: 1}", given="recurrence.count: 2"),
)
"""Policies that ask for all that other findings may change, before the one that always pins."""


def curious(last: str, step: str = "cut_traffic") -> str:
    """In one file, the last of them the one that always contains."""
    policies = (*(one.replace("cut_traffic", step) for one in CURIOUS), last)
    return "".join("- " + textwrap.indent(one.strip(), "  ")[2:] + "\n" for one in policies)


def planted(on: Line, workload: str, *, image: int | None = None, **scene: Any) -> Pair:
    """One more finding, of a source that is not in firebreak.yaml unless told otherwise."""
    given = {"source": FOREIGN, "finding_id": "planted", "minutes_ago": 5, **scene}
    return on.finding(workload=workload, image=image, **given)


def many(on: Line, workload: str, number: int = MANY, **scene: Any) -> None:
    """So many that not all of them can be read."""
    pair = on.finding(held=False, **{"source": FOREIGN, "workload": workload, "image": None, "minutes_ago": 4, **scene})
    names = (f"{pair['finding']['name']}-{one}" for one in range(number))
    small = {
        key: pair["finding"][key] for key in ("resourceName", "state", "mute", "category", "eventTime", "findingClass")
    }
    on.world.findings += [{"finding": {**small, "name": name}, "resource": pair["resource"]} for name in names]


def delivered(on: Line, pair: Pair) -> None:
    """Its own message comes too."""
    assert on.respond(pair).phase == "monitored"


def a_hundred_messages(on: Line, good: str, bad: str) -> None:
    for number in range(12):
        delivered(on, planted(on, (good, bad)[number % 2], finding_id=f"planted{number}"))


def whole(part: str) -> str:
    """The workload that a revision or an execution is of."""
    return "/".join(part.split("/")[:2])


Plant = Callable[[Line, str, str], object]
SHAPES: Mapping[str, Plant] = {
    "on the refuge": lambda on, good, _: planted(on, good),
    "on the suspect": lambda on, _, bad: planted(on, bad),
    "on the workload, with the refuge's image": lambda on, good, _: planted(
        on, good.partition("/revisions/")[0], image=7
    ),
    "of another category, on everything": lambda on, good, bad: [
        planted(on, where, category="Reverse Shell", finding_id=f"planted{number}")
        for number, where in enumerate((good, bad, whole(good)))
    ],
    "by number": lambda on, good, _: planted(on, good, project_spelled="number"),
    "with the id of the real one": lambda on, good, _: planted(on, good, finding_id="0b54a4eb1d5c4ad2a54e4e6a1d9e5f10"),
    "of three days ago": lambda on, good, _: planted(on, good, minutes_ago=3 * 24 * 60),
    "of tomorrow": lambda on, good, _: planted(on, good, minutes_ago=-24 * 60),
    "muted": lambda on, good, _: put_finding(on.world, **muted(planted(on, good))),
    "a thousand on the refuge": lambda on, good, _: many(on, good),
    "a thousand on the suspect": lambda on, _, bad: many(on, bad),
    "delivered": lambda on, good, _: delivered(on, planted(on, good)),
    "delivered on both, again and again": a_hundred_messages,
}


def two_regions_whole() -> World:
    return two_regions(*THERE_TOO)


Kind = tuple[Callable[[], World], str, str, str, str]
KINDS: Mapping[str, Kind] = {
    "service": (world_of, "services/checkout", f"{ON}/{GOOD}", f"{ON}/{BAD}", curious(ALWAYS)),
    "regions": (two_regions_whole, "services/checkout", f"{ON}/{GOOD}", f"{ON}/{BAD}", curious(ALWAYS)),
    "pool": (
        GROUNDS["worker_pool"].world,
        "workerPools/indexer",
        "workerPools/indexer/revisions/indexer-00007",
        "workerPools/indexer/revisions/indexer-00008",
        curious(ALWAYS.replace("cut_traffic", "suspend"), "suspend"),
    ),
    "job": (
        GROUNDS["job"].world,
        "jobs/nightly",
        "jobs/nightly/executions/nightly-other",
        "jobs/nightly/executions/nightly-bad",
        curious(STOP_AND_BLOCK, "block_runs"),
    ),
}


def decided(on: Line, incident: Incident) -> tuple[object, ...]:
    """What was planned, by which policy, how, and what came of it."""
    shown = now(on, incident)
    plan, decision = shown["plan"], shown["decision"]
    drawn = [(one["surface"], one["before"], one["after"], one["actions"]) for one in plan["changes"]]
    return drawn, decision["policy"], decision["mode"], decision["suspects"], shown["phase"]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[object, ...]]:
    """What comes of the finding where nobody has planted any other."""
    found = {}
    for kind, (world, workload, _, _, policy) in KINDS.items():
        with Lines(tmp_path_factory.mktemp("alone"))(world(), policy=policy) as on:
            found[kind] = decided(on, on.respond(on.finding(workload=workload)))
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_planted_finding_of_a_foreign_source_changes_no_plan(
    line: Lines, alone: Mapping[str, tuple[object, ...]], shape: str, kind: str
) -> None:
    """Nor the policy, the mode, the suspects, or what comes of it; it is there to be seen."""
    world, workload, good, bad, policy = KINDS[kind]
    with line(world(), policy=policy) as on:
        SHAPES[shape](on, good, bad)
        incident = on.respond(on.finding(workload=workload))

        assert decided(on, incident) == alone[kind]
        assert incident.phase == "contained"


def test_a_planted_finding_while_a_question_waits_leaves_question_and_answer_as_they_are(line: Lines) -> None:
    with line(policy=asking(ALWAYS)) as on:
        incident = on.respond(on.finding())
        before = now(on, incident)["question"]
        delivered(on, planted(on, f"{ON}/{GOOD}"))
        many(on, f"{ON}/{GOOD}")
        answered = say(on, "approve", incident, digest=before["digest"])

        assert answered.done, answered.says
        assert now(on, incident)["question"] == before
        assert set(on.reachable) == {GOOD}


def test_all_of_them_are_shown_with_their_source(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        planted(on, f"{ON}/{GOOD}")
        for number in range(12):
            planted(on, f"{ON}/{BAD}", source="5678", finding_id=f"ours{number}")
        incident = on.respond(on.finding())
        (related,) = (one for one in now(on, incident)["evidence"] if one["source"] == "related")
        listed = {one["finding"]: one.get("source", "") for one in related["shown"]["findings"]}

        assert listed == {f"{FOREIGN}/planted": "not allowed", **{f"5678/ours{number}": "" for number in range(12)}}
        assert related["facts"]["related.count"] == 12


@pytest.mark.parametrize("minutes_ago", [5, 3 * 24 * 60, 90 * 24 * 60])
def test_a_threat_of_an_allowed_source_is_gone_by_as_long_as_it_is_active(line: Lines, minutes_ago: float) -> None:
    with line(policy=ALWAYS) as on:
        planted(on, f"{ON}/{GOOD}", source="5678", minutes_ago=minutes_ago)
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert set(on.reachable) == {OLD}


def test_what_an_allowed_source_names_takes_the_place_of_nothing(line: Lines) -> None:
    """The finding names neither revision nor image: all that serves from before it is suspect, as if alone."""
    halves = ({"revision": GOOD, "percent": 50}, {"revision": BAD, "percent": 50})
    with line(world_of(traffic=halves), policy=ALWAYS) as on:
        planted(on, f"{ON}/{BAD}", source="5678")
        on.respond(on.finding(image=None))

        assert set(on.reachable) == {OLD}


def test_where_the_image_of_the_event_is_nowhere_what_others_name_is_closed_and_a_person_is_asked(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        planted(on, f"{ON}/{BAD}", source="5678")
        incident = on.respond(on.finding(image=99))

        assert set(on.reachable) == {GOOD}
        assert phase(on, incident) == "waiting"
        assert digest_of(99) in reasons(on, incident)


def exact(on: Line) -> list[str]:
    """What SCC was asked about by its exact name."""
    return [
        str(call.request.filter)
        for call in on.sandbox.wire.calls_to("*/ListFindings")
        if "resource_name = " in str(call.request.filter)
    ]


@pytest.mark.parametrize(("threat", "taken"), [(None, GOOD), (GOOD, OLD)])
def test_of_a_thousand_related_findings_the_refuge_alone_is_asked_about_by_its_exact_name(
    line: Lines, threat: str | None, taken: str
) -> None:
    """Not all are read; the one that matters may be among the others."""
    with line(policy=ALWAYS) as on:
        many(on, f"{ON}/{BAD}", source="5678")
        if threat:
            planted(on, f"{ON}/{threat}", source="5678", finding_id="zzz", minutes_ago=2000)
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert set(on.reachable) == {taken}
        assert len(exact(on)) == (2 if threat else 1)
        assert cautions(on, incident) == set()


@pytest.mark.parametrize("others", [0, MANY], ids=["by the list", "by its exact name"])
def test_a_threat_on_the_refuge_counts_wherever_scc_keeps_it(line: Lines, others: int) -> None:
    """Under data residency a finding may lie in another location than the next one on the same service."""
    with line(policy=ALWAYS, FIREBREAK_SCC_LOCATIONS="global,eu") as on:
        many(on, f"{ON}/{BAD}", others, source="5678")
        planted(on, f"{ON}/{GOOD}", source="5678", finding_id="zzz", finding_location="eu")
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert set(on.reachable) == {OLD}


@pytest.mark.parametrize("kind", ["error", "hang"])
def test_another_location_that_does_not_answer_holds_nothing_up_and_is_shown(line: Lines, kind: Any) -> None:
    """What SCC finds on one workload it keeps in one location."""
    with line(policy=ALWAYS, FIREBREAK_SCC_LOCATIONS="global,eu") as on:
        on.sandbox.wire.inject(
            Fault("*/ListFindings", kind, asked="*locations/eu*resource_name*", times=None, seconds=3.0)
        )
        incident = on.respond(on.finding())
        (related,) = (one for one in now(on, incident)["evidence"] if one["source"] == "related")

        assert incident.phase == "contained"
        assert "no answer from location eu" in str(related["shown"])


def test_where_a_location_does_not_answer_a_further_region_s_refuge_is_not_vouched_for(line: Lines) -> None:
    with line(two_regions(*THERE_TOO), policy=ALWAYS, FIREBREAK_SCC_LOCATIONS="global,us") as on:
        on.sandbox.wire.inject(
            Fault("*/ListFindings", "error", "PERMISSION_DENIED", asked="*locations/us*resource_name*", times=None)
        )
        incident = on.respond(on.finding())

        assert (incident.phase, cautions(on, incident)) == ("waiting", {"refuge"})
        assert writes(on) == []


@pytest.mark.parametrize("others", [0, MANY])
def test_each_region_s_refuge_is_asked_about_there(line: Lines, others: int) -> None:
    """Findings of the region where the finding is do not tell of it, however few they are."""
    with line(two_regions(*THERE_TOO), policy=ALWAYS) as on:
        many(on, f"{ON}/{BAD}", others, source="5678")
        planted(on, f"{ON}/{OTHER_GOOD}", source="5678", location=THERE, finding_id="there")
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert serving(on)[0] == [GOOD]
        assert (
            OTHER_GOOD not in serving(on)[1]
            or int(on.world.service(f"projects/shop-prod/locations/{THERE}/services/checkout").service.ingress) == 4
        )


def test_a_pool_s_refuge_is_asked_about_too(line: Lines) -> None:
    ground = GROUNDS["worker_pool"]
    with line(ground.world(), policy=ALWAYS.replace("cut_traffic", "suspend")) as on:
        many(on, f"{ground.workload}/revisions/indexer-00008", source="5678")
        planted(on, f"{ground.workload}/revisions/indexer-00007", source="5678", finding_id="zzz", minutes_ago=2000)
        incident = on.respond(on.finding(workload=ground.workload))

        assert incident.phase == "contained"
        assert "indexer-00007" not in split(on.world)


@pytest.mark.parametrize("answer", ["approve", "reject"])
def test_only_where_the_exact_name_has_no_answer_the_pin_asks(line: Lines, answer: str) -> None:
    with line(policy=ALWAYS) as on:
        many(on, f"{ON}/{BAD}", source="5678")
        on.sandbox.wire.inject(
            Fault("*/ListFindings", "error", "PERMISSION_DENIED", asked="*resource_name = *", times=None)
        )
        incident = on.respond(on.finding())
        before = phase(on, incident), cautions(on, incident), writes(on)
        answered = say(on, answer, incident)

        assert before == ("waiting", {"refuge"}, [])
        assert GOOD in reasons(on, incident)
        assert answered.done, answered.says
        assert (set(on.reachable) == {GOOD}) == (answer == "approve")
