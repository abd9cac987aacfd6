"""Each alert as deployed is played: lines that the code itself writes, and Cloud Run's own, go through its filter.

Every story names all alerts that it rings, so that what should not ring is said with what should.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from firebreak.core.containment.active_containment import Standing
from firebreak.core.incidents.log_line import log_line
from firebreak.ledger.documents import Index
from sandbox.google.logging_filter import parse_filter
from sandbox.wire import Fault
from tests.repository.checkout import ROOT
from tests.response.harness import ALWAYS, KNOWN, PIN_ONLY, REVISIONS, Line, Lines, world_of
from tests.response.test_faults_in_one_part import failing_source
from tests.response.test_set_aside import HERE, of_a_newer_version, with_broken_seal
from tests.terraform.deployment import Deployment, has_mirror, resources

pytestmark = [
    pytest.mark.terraform,
    pytest.mark.skipif(not has_mirror(), reason="TF_CLI_CONFIG_FILE names no provider mirror to plan with"),
]
Entry = dict[str, Any]
LOG = "projects/acme-firebreak/logs/run.googleapis.com%2F"


def entry(log: str, payload: dict[str, Any], service: str = "firebreak-on-finding") -> Entry:
    resource = {"type": "cloud_run_revision", "labels": {"service_name": service, "project_id": "acme-firebreak"}}
    return {"logName": f"{LOG}{log}", "resource": resource, **payload}


def as_stored(line: str) -> Entry:
    """A line of standard output as Cloud Logging keeps it: JSON is taken apart, and its severity moved out.

    One that has nothing but a message becomes a text (https://cloud.google.com/logging/docs/structured-logging).
    """
    told = json.loads(line)
    severity = told.pop("severity")
    payload = {"textPayload": told["message"]} if told.keys() == {"message"} else {"jsonPayload": told}
    return entry("stdout", {"severity": severity, **payload})


@dataclass(frozen=True)
class Story:
    """What happens, on a line of this world and policy; what it leaves in the log is played."""

    happens: Callable[[Line], object]
    rings: frozenset[str]
    world: Callable[[], Any] = world_of
    policy: str = ALWAYS


def without_a_way_back() -> Any:
    return world_of((REVISIONS[2],))


def out_of_quota() -> Any:
    return world_of(hashes={KNOWN: {"error": "429:QuotaExceededError"}})


def contained(on: Line) -> None:
    assert on.respond(on.finding()).phase == "contained"


def slowly(on: Line) -> None:
    """Cloud Run takes three minutes for the update."""
    clock = on.app.now_ns
    later = lambda: clock() + (180 * 10**9 if on.updates else 0)  # noqa: E731 - too short for a name of its own
    on.app = replace(on.app, now_ns=later, ledger=replace(on.app.ledger, now_ns=later))
    contained(on)


def with_a_seal_broken(on: Line) -> None:
    contained(on)
    with_broken_seal(on, "standing", HERE)
    on.wait(3600)
    on.sweep()


def of_another_version(on: Line) -> None:
    contained(on)
    of_a_newer_version(on, "standing", HERE)
    on.wait(3600)
    on.sweep()


def put_back(on: Line) -> None:
    """What stands is saved twice, the vault is told, and somebody brings the first of both back."""
    ledger = on.app.ledger
    ledger.commit(ledger.standing_save(Standing("a"), None))
    first = ledger.documents.read("standing", "a")
    assert first is not None
    ledger.commit(ledger.standing_save(Standing("a"), first))
    on.sweep()
    now = ledger.documents.read("standing", "a")
    assert now is not None
    ledger.documents.replace(now, first.body, Index())
    on.wait(3700)
    on.sweep()


def in_a_source(on: Line) -> None:
    failing_source(on, "logs")
    contained(on)


def of_tomorrow(on: Line) -> None:
    """Seen in two sweeps, told in the first."""
    for number in range(2):
        on.finding(category="Execution: Detector Of Tomorrow", finding_id=f"f{number}")
        on.sweep()
        on.wait(300)
    assert len([one for one in on.logged if "unlisted_detector" in one]) == 1


STORIES = {
    "contained without a person": Story(contained, frozenset()),
    "a person is asked": Story(lambda on: on.respond(on.finding(minutes_ago=90)), frozenset({"approval-waiting"})),
    "nothing can be done": Story(
        lambda on: on.respond(on.finding()), frozenset({"failed-containment"}), without_a_way_back, PIN_ONLY
    ),
    "a finding that nobody holds": Story(lambda on: on.respond(on.finding(held=False)), frozenset({"unverified"})),
    "a broken seal": Story(with_a_seal_broken, frozenset({"unverified", "set-aside"})),
    "a record of a newer version": Story(of_another_version, frozenset({"set-aside"})),
    "the ledger was put back": Story(put_back, frozenset({"unverified"})),
    "a fault in a source": Story(in_a_source, frozenset({"function-error"})),
    "the quota is used up": Story(lambda on: on.respond(on.finding()), frozenset({"virustotal-quota"}), out_of_quota),
    "a slow containment": Story(slowly, frozenset({"slow-containment"})),
    "a detector of tomorrow": Story(of_tomorrow, frozenset({"unlisted-detector"})),
    "a sweep": Story(lambda on: on.sweep(), frozenset()),
}

# As Cloud Run writes them, at the severity that it gives them (https://cloud.google.com/run/docs/troubleshooting and
# reports of people's logs).
PLATFORM = [
    ("ERROR", "Memory limit of 512 MiB exceeded with 530 MiB used. Consider increasing the memory limit.", True),
    ("ERROR", "Uncaught signal: 6, pid=1, tid=1, fault_addr=0.", True),
    ("WARNING", "Container terminated on signal 9.", True),
    ("WARNING", "Container called exit(1).", True),
    ("ERROR", 'Default STARTUP TCP probe failed 1 time consecutively for container "worker" on port 8080.', True),
    ("WARNING", "Container called exit(0).", False),
    ("INFO", "Starting new instance. Reason: AUTOSCALING - Instance started due to traffic.", False),
]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Address to values, of everything that a first apply makes."""
    plan = Deployment(tmp_path_factory.mktemp("deployment")).plan()
    return {one["address"]: one["values"] for one in resources(plan)}


@pytest.fixture(scope="module")
def filters(deployed: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Alert to the filter of log entries that rings it."""
    alerts = {
        re.sub(r'.*\["(.*)"\]', r"\1", address): values["conditions"][0]["condition_matched_log"][0]["filter"]
        for address, values in deployed.items()
        if address.startswith("google_monitoring_alert_policy.log[")
    }
    assert len(alerts) > 5
    return alerts


def ringing(filters: dict[str, str], entries: list[Entry]) -> set[str]:
    return {name for name, text in filters.items() for one in entries if parse_filter(text).holds(one)}


@contextmanager
def logging(folder: Path, story: Story) -> Iterator[tuple[Line, list[Entry]]]:
    with Lines(folder)(story.world(), policy=story.policy, FIREBREAK_SCC_MARKS="off") as on:  # as without write_marks
        story.happens(on)
        yield on, [as_stored(written(**one)) for one in on.logged]


def written(severity: str, message: str, **fields: object) -> str:
    return log_line(severity, message, fields)


@pytest.mark.parametrize("name", STORIES)
def test_what_happens_rings_its_alert_and_no_other(tmp_path: Path, filters: dict[str, str], name: str) -> None:
    with logging(tmp_path, STORIES[name]) as (_, entries):
        assert entries
        assert ringing(filters, entries) == STORIES[name].rings


def test_the_message_that_the_page_has_published_is_recorded_and_rings_what_the_page_says(
    tmp_path: Path, filters: dict[str, str]
) -> None:
    """In the deployment of the page, which monitors, and about a project that Firebreak may not read."""
    with Lines(tmp_path)(config="ceiling: monitor", sources="[]", FIREBREAK_SCC_MARKS="off") as on:
        on.sandbox.wire.inject(Fault("google.cloud.run*", "error", code="PERMISSION_DENIED", times=None))
        incident = on.respond((ROOT / "tests" / "findings" / "v2.json").read_bytes())
        entries = [as_stored(written(**one)) for one in on.logged]

    assert incident.phase == "monitored"
    assert entries[-1]["jsonPayload"]["message"].startswith(
        "monitored: Execution: Added Malicious Binary Executed on projects/shop-prod/"
    )
    assert ringing(filters, entries) == {"unverified"}


def test_every_alert_on_the_log_is_rung_by_some_story(filters: dict[str, str]) -> None:
    played = {alert for story in STORIES.values() for alert in story.rings} | {"container-crash"}

    assert played == filters.keys()


def test_a_function_that_does_not_start_rings(tmp_path: Path, filters: dict[str, str]) -> None:
    """By the very line that the process writes; what follows on standard error has no severity, and rings nothing."""
    (tmp_path / "firebreak.yaml").write_text("ceiling: Enforce\n")
    starts = "import functions_framework; functions_framework.create_app('on_finding', 'main.py', 'cloudevent')"
    environment = {**os.environ, "FIREBREAK_POLICIES": str(tmp_path), "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", starts]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    plain = [entry("stderr", {"textPayload": one}) for one in ended.stderr.splitlines()]

    assert ended.returncode == 1
    assert ringing(filters, [as_stored(one) for one in ended.stdout.splitlines()]) == {"function-error"}
    assert plain
    assert ringing(filters, plain) == set()


@pytest.mark.parametrize(("severity", "text", "rings"), PLATFORM)
def test_a_container_that_ends_or_is_killed_rings(
    filters: dict[str, str], severity: str, text: str, *, rings: bool
) -> None:
    told = entry("varlog%2Fsystem", {"severity": severity, "textPayload": text})

    assert ringing(filters, [told]) == ({"container-crash"} if rings else set())


def test_an_answer_that_asks_for_redelivery_and_another_service_ring_nothing(filters: dict[str, str]) -> None:
    """Cloud Run logs each 500 as an error: that is how a message is delivered again. The project may hold others."""
    answer = entry("requests", {"severity": "ERROR", "httpRequest": {"status": 500}})
    other = entry("stdout", {"severity": "ERROR", "jsonPayload": {"message": "x", "y": 1}}, service="another")

    assert ringing(filters, [answer, other]) == set()


def test_every_sweep_is_counted_and_nothing_else(tmp_path: Path, deployed: dict[str, dict[str, Any]]) -> None:
    counted = parse_filter(deployed['google_logging_metric.count["sweeps"]']["filter"])
    with logging(tmp_path, STORIES["a sweep"]) as (_, swept):
        pass
    with logging(tmp_path, STORIES["a person is asked"]) as (_, others):
        pass

    assert [counted.holds(one) for one in swept].count(True) == 1
    assert [one for one in others if counted.holds(one)] == []


def test_no_sweep_counts_nothing_as_zero_so_that_it_rings_where_none_ever_ran(deployed: dict[str, Any]) -> None:
    """An absence condition would wait for a first sweep, and a look for the metric would refuse a new one."""
    (condition,) = deployed["google_monitoring_alert_policy.no_sweep"]["conditions"]
    (asked,) = condition["condition_prometheus_query_language"]
    counted = 'logging_googleapis_com:user_firebreak_sweeps",monitored_resource="cloud_run_revision"'

    assert condition["condition_absent"] == []
    assert asked["query"] == f'(sum(sum_over_time({{__name__="{counted}}}[20m])) or vector(0)) < 1'
    assert asked["disable_metric_validation"] is True
    assert asked["duration"] == "600s"
    assert deployed['google_logging_metric.count["sweeps"]']["name"] == "firebreak/sweeps"


def unswept(condition: dict[str, Any], sweeps: range, at: int) -> bool:
    """Whether the condition has held for its whole duration at that second, with sweeps counted at these.

    A sum of no points is nothing, which is below no number, unless the query puts a zero in its place.
    """
    (asked,) = condition["condition_prometheus_query_language"]
    counted = re.fullmatch(
        r"\(sum\(sum_over_time\(\{.*\}\[(\d+)m\]\)\)(?: or vector\((\d)\))?\) < (\d+)", asked["query"]
    )
    assert counted
    window, nothing, least = 60 * int(counted[1]), counted[2], int(counted[3])

    def holds(second: int) -> bool:
        seen = [one for one in sweeps if second - window < one <= second]
        return bool(seen or nothing) and (len(seen) or int(nothing)) < least

    return all(holds(one) for one in range(at - int(asked["duration"].removesuffix("s")), at + 1, 60))


@pytest.mark.parametrize(
    ("sweeps", "rings"),
    [(range(0), True), (range(0, 7201, 1200), False), (range(0, 5701, 300), False), (range(0, 5401, 300), True)],
    ids=["none ever", "every twenty minutes", "none for 25 minutes", "none for half an hour"],
)
def test_no_sweep_rings_where_none_ran_for_half_an_hour(
    deployed: dict[str, Any], sweeps: range, *, rings: bool
) -> None:
    (condition,) = deployed["google_monitoring_alert_policy.no_sweep"]["conditions"]

    assert unswept(condition, sweeps, 7200) is rings


def above(condition: dict[str, Any], points: list[tuple[int, float]]) -> bool:
    """Whether (second, value) points hold a threshold condition for its whole duration, a point each period."""
    (threshold,) = condition["condition_threshold"]
    period = int(threshold["aggregations"][0]["alignment_period"].removesuffix("s"))
    needed = int(threshold["duration"].removesuffix("s")) // period or 1
    highest: dict[int, float] = {}
    for second, value in points:
        highest[second // period] = max(value, highest.get(second // period, value))
    over = [highest[one] > threshold["threshold_value"] for one in sorted(highest)]
    return any(all(over[at : at + needed]) for at in range(len(over) - needed + 1))


@pytest.mark.parametrize(
    ("alert", "rings", "silent"),
    [
        ("dead-letter", [(0, 0), (60, 1)], [(0, 0), (60, 0)]),
        ("backlog", [(60 * one, 700) for one in range(6)], [(0, 900), *((60 * one, 20) for one in range(1, 6))]),
    ],
)
def test_what_is_left_lying_rings(
    deployed: dict[str, Any],
    alert: str,
    rings: list[tuple[int, float]],
    silent: list[tuple[int, float]],
) -> None:
    """One dead letter; or messages that wait for over ten minutes, five minutes long, and not a single slow one."""
    (condition,) = deployed[f'google_monitoring_alert_policy.metric["{alert}"]']["conditions"]

    assert above(condition, rings)
    assert not above(condition, silent)


def test_the_subscriptions_that_are_watched_are_all_that_there_are(deployed: dict[str, Any]) -> None:
    def watched(alert: str) -> set[str]:
        (condition,) = deployed[f'google_monitoring_alert_policy.metric["{alert}"]']["conditions"]
        return set(re.findall(r'"(firebreak-[a-z-]+)"', condition["condition_threshold"][0]["filter"]))

    def names(kind: str) -> set[str]:
        made = (values["name"] for address, values in deployed.items() if address.startswith(f"{kind}["))
        return set(made)

    assert watched("dead-letter") == names("google_pubsub_subscription.dead")
    assert watched("backlog") == names("google_pubsub_subscription.push")


def test_every_alert_links_to_its_heading_by_a_url(deployed: dict[str, Any]) -> None:
    alerts = {key: one for key, one in deployed.items() if key.startswith("google_monitoring_alert_policy.")}
    links = {
        one["display_name"]: one["documentation"][0]["content"].rpartition("Runbook: ")[2] for one in alerts.values()
    }

    assert len(links) > 10
    assert links == {name: f"https://wiki.acme.example/firebreak#{name.removeprefix('firebreak: ')}" for name in links}
