"""What a policy may ask, asked over the wire: ages by the application's clock, and many policies at once."""

from __future__ import annotations

import time

from firebreak.core.mode import Mode
from tests.response.harness import ALWAYS, KNOWN, Lines, world_of

DAY = 86_400
FRESH = ALWAYS.replace("when: {", "when: {virustotal.first_seen: {newer_than: 30d}, ")
MANY = "".join(
    ALWAYS.replace("id: always", f"id: p{number}")
    .replace("Execution: Added Malicious Binary Executed", f"Another {number}")
    .strip()
    .replace("\n", "\n  ")
    .join(("- ", "\n"))
    for number in range(60)
)


def test_the_age_of_a_file_is_judged_by_the_clock_of_the_decision(line: Lines) -> None:
    known = {KNOWN: {"malicious": 48, "first_seen": int(time.time()) - 29 * DAY}}
    with line(world_of(hashes=known), policy=FRESH) as on:
        on.skipped_ns = DAY // 2 * 1_000_000_000
        young = on.respond(on.finding(minutes_ago=-12 * 60 + 1))
        on.skipped_ns = 2 * DAY * 1_000_000_000
        old = on.respond(on.finding(minutes_ago=-48 * 60 + 1, finding_id="f" * 32))

    assert young.decision is not None
    assert (young.decision.policy, young.decision.mode) == ("always", Mode.ENFORCE)
    assert (old.phase, old.decision and old.decision.policy) == ("declined", None)


def test_of_many_policies_those_about_other_categories_are_left_out_of_the_record(line: Lines) -> None:
    with line(policy=MANY + ALWAYS.strip().replace("\n", "\n  ").join(("- ", "\n"))) as on:
        incident = on.respond(on.finding())

    assert incident.decision is not None
    assert [tried["policy"] for tried in incident.decision.trace] == ["always"]
    assert incident.phase == "contained"
