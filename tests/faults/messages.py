"""Broken and odd messages, each with what becomes of it: `dead` letters, or the incident's phase and why."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.scc.notification_variants import (
    agent_engine_twin,
    gke_twin,
    inactive,
    muted,
    with_encoded_texts,
    with_files_only,
    with_two_containers,
    with_unknowns,
    without_processes,
)
from sandbox.scc.notifications import Pair, Scene, notification_v1, notification_v2
from tests.response.harness import Line

Case = tuple[str, Callable[[Line], bytes], str]
"""A name, what makes the message on a line, and the expected answer."""


def edited(change: Callable[[dict[str, Any]], None], *, held: bool = True) -> Callable[[Line], bytes]:
    """A v2 message about a finding that SCC holds unedited."""

    def make(line: Line) -> bytes:
        body = json.loads(notification_v2(line.finding(held=held)))
        change(body)
        return json.dumps(body).encode()

    return make


def with_field(name: str, value: object) -> Callable[[Line], bytes]:
    return edited(lambda body: body["finding"].__setitem__(name, value))


def without(name: str) -> Callable[[Line], bytes]:
    return edited(lambda body: body["finding"].pop(name, None))


def raw(body: bytes) -> Callable[[Line], bytes]:
    return lambda _: body


def variant(change: Callable[[Pair], Pair]) -> Callable[[Line], bytes]:
    """The same change in the message and in what SCC holds."""

    def make(line: Line) -> bytes:
        pair = change(line.finding(held=False))
        line.world.findings.append(copy.deepcopy(pair))
        return notification_v2(pair)

    return make


def found(**scene: Any) -> Callable[[Line], bytes]:
    return lambda line: notification_v2(line.finding(**scene))


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _unreadable()
    yield from _fields()
    yield from _shapes()
    yield from _names()
    yield from _trust()


def _unreadable() -> Iterator[Case]:
    bodies: dict[str, bytes] = {
        "empty": b"",
        "spaces": b"   ",
        "not json": b"hello",
        "half of json": b'{"finding": {"name": ',
        "bad utf-8": b'{"finding": "\xff\xfe"}',
        "utf-16": json.dumps({"finding": {}}).encode("utf-16")[:-1],
        "a list": b"[]",
        "a text": b'"finding"',
        "a number": b"1",
        "null": b"null",
        "true": b"true",
        "an empty object": b"{}",
        "no finding": b'{"resource": {}}',
        "finding is null": b'{"finding": null}',
        "finding is a list": b'{"finding": []}',
        "finding is a text": b'{"finding": "x"}',
        "an empty finding": b'{"finding": {}}',
        "ten thousand lists deep": b"[" * 10_000 + b"]" * 10_000,
        "ten thousand objects deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        "a number of 5,000 digits": b'{"finding": {"size": ' + b"9" * 5_000 + b"}}",
        "nine megabytes of nothing": b'{"finding": {"x": "' + b"a" * 9_000_000 + b'"}}',
        "a nul byte": b'{"finding":\x00{}}',
        "an snapshot of something else": json.dumps({"incident": {"incident_id": "0.abc"}}).encode(),
    }
    for name, body in bodies.items():
        yield name, raw(body), "dead"


def _fields() -> Iterator[Case]:
    wrong: tuple[object, ...] = (None, [], {}, 7, True, "", "x" * 5_000)
    for name in ("name", "eventTime"):
        for number, value in enumerate(wrong):
            kept = name == "name"
            yield f"{name}, wrong in way {number}", with_field(name, value), "contained" if kept else "dead"
        yield f"without {name}", without(name), "contained" if name == "name" else "dead"
    yield "neither name", edited(lambda body: body["finding"].update(name="", canonicalName="")), "dead"
    yield "two names", with_field("canonicalName", "projects/1/sources/5678/locations/global/findings/else"), "dead"
    for name in ("processes", "files", "containers", "mitreAttack", "contacts", "severity", "mute", "description"):
        for number, value in enumerate((None, "text", 7, [None, 1, "x", []], {"a": {"b": []}})):
            yield f"{name}, odd in way {number}", with_field(name, value), "contained"
        yield f"without {name}", without(name), "contained"
    for time in ("2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "yesterday", "1795532738", "0000-01-01T00:00:00Z"):
        yield f"at {time}", with_field("eventTime", time), "dead"
    yield "a surrogate", with_field("description", "\ud800 half a character"), "contained"
    yield "ansi and bidi", with_field("parentDisplayName", "\x1b[31mred\u202e"), "contained"
    yield (
        "many processes",
        with_field("processes", [{"binary": {"path": f"/{one}"}} for one in range(3000)]),
        "contained",
    )


def _shapes() -> Iterator[Case]:
    yield "v1", lambda line: notification_v1(line.finding()), "contained"
    yield "unknown fields and enums", variant(with_unknowns), "contained"
    yield "no processes", variant(without_processes), "contained"
    yield "files only", variant(with_files_only), "contained"
    yield "encoded texts", variant(with_encoded_texts), "contained"
    yield "two containers", variant(with_two_containers), "contained"
    yield "deleted", lambda line: notification_v2(line.finding(), deleted=True), "declined"
    yield "muted", lambda line: notification_v2(muted(line.finding())), "declined"
    yield "inactive", lambda line: notification_v2(inactive(line.finding())), "declined"
    yield "a GKE twin", lambda _: notification_v2(gke_twin(Scene())), "declined"
    yield "an Agent Engine twin", lambda _: notification_v2(agent_engine_twin(Scene())), "declined"
    yield "another category", found(category="Reverse Shell"), "declined"
    # The detector is known all the same, by its module or its spelling; SCC holds the finding under another category.
    yield "no category", with_field("category", ""), "monitored"
    yield "a category in capitals", with_field("category", "EXECUTION: ADDED MALICIOUS BINARY EXECUTED"), "monitored"
    yield "no resource", edited(lambda body: body.pop("resource")), "contained"
    yield "project number", found(project_spelled="number"), "contained"
    yield "the worker pool that is not there", found(workload="workerPools/checkout"), "failed"
    yield "the job that is not there", found(workload="jobs/checkout"), "failed"


def _names() -> Iterator[Case]:
    run = "//run.googleapis.com/projects/shop-prod/locations/europe-west1/services"
    for name in (
        f"{run}/checkout/../../x",
        f"{run}/..",
        f"{run}/check%2Fout",
        f"{run}/checkout/",
        f"{run}//checkout",
        f"{run}/checkout?x=1",
        f"{run}/checkout#x",
        f"{run}/checkout\n",
        f"{run}/checkout OR name = x",
        f'{run}/checkout" OR name : "',
        "//run.googleapis.com.evil.net/projects/shop-prod/locations/l/services/checkout",
        "//evil.net/run.googleapis.com/projects/shop-prod/locations/l/services/checkout",
        "https://run.googleapis.com/projects/shop-prod/locations/l/services/checkout",
        "//RUN.googleapis.com/projects/shop-prod/locations/l/services/checkout",
        "//run.googleapis.com/namespaces/shop-prod/services/checkout",
        "//compute.googleapis.com/projects/shop-prod/zones/z/instances/i",
    ):
        here = name.lower().startswith("//run.googleapis.com/")
        yield f"resource {name!r}", found(resource_name=name), "waiting" if here else "declined"
    yield "a near name", found(workload="services/check"), "failed"
    yield "a longer name", found(workload="services/checkout-api"), "failed"


def _trust() -> Iterator[Case]:
    yield "not held by SCC", found(held=False), "deferred"
    yield "another organization", found(held=False, organization="999"), "declined"
    yield "a near organization", found(held=False, organization="1234567890123"), "declined"
    yield "another source", found(source="56789"), "monitored"
    yield "a month old", found(minutes_ago=43_200), "waiting"
    yield "of tomorrow", found(minutes_ago=-1_440), "waiting"
    elsewhere = "//run.googleapis.com/projects/p/locations/l/services/s"
    yield "two workloads in one message", with_field("resourceName", elsewhere), "declined"
    yield "an unknown field on top", edited(lambda body: body.update(marker="x")), "contained"
