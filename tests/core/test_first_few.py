"""Whoever reads a list that was cut is told so, and by how much."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.active_containment import Standing
from firebreak.core.containment.review import drift_on
from firebreak.core.first_few import and_more, first_few
from firebreak.core.incidents.incident import Incident
from firebreak.core.messages.composing import compose
from firebreak.core.messages.plain_text import plain_text
from tools.record_columns import filled


@given(st.lists(st.text()), st.integers(0, 9))
def test_what_is_shown_and_what_is_counted_is_all_there_is(items: list[str], most: int) -> None:
    shown = first_few(items, most)
    rest = len(items) - most

    assert shown == (tuple(items) if rest <= 0 else (*items[:most], f"and {rest} more"))
    assert and_more(len(items), most) == shown[len(items[:most]) :]


def test_a_report_of_drift_says_how_many_changes_it_does_not_name() -> None:
    written = {f"service.traffic.tag.t{number}": "old" for number in range(8)}
    target = Target("shop-prod", "europe-west1", "service", "checkout")
    found = Workload(target, dict.fromkeys(written, "new"), {}, (), None, {}, {}, settled=True)

    drift = drift_on(Standing(target.key, applied=written), found, found.state)
    sentence = drift.says if drift else ""

    assert sentence.count(" was old and is new") == 5
    assert sentence.endswith("; and 3 more")


def test_a_chat_message_says_how_many_settings_and_owners_it_leaves_out() -> None:
    """It is what a person approves by."""
    incident = filled(Incident)
    change = replace(incident.plan.changes[0], before={}, after={f"key{number:02}": "new" for number in range(15)})
    finding = replace(incident.finding, contacts=("a@x.example", "b@x.example", "c@x.example", "d@x.example"))
    asks = replace(incident, phase="waiting", finding=finding, plan=replace(incident.plan, changes=(change,)))

    lines = plain_text(compose(asks)).splitlines()

    assert sum("→ new" in line for line in lines) == 10
    assert "and 5 more" in lines
    assert [line[-12:] for line in lines if line.startswith("owner: ")] == [", and 1 more"]
