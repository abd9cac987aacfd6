"""Every probe of the guards: Firebreak does what the table says, and writes nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.guards.probes_of_guards import CONTROLS
from tests.guards.probing import ACTED, Probe
from tests.guards.table import GROUPS

ROOT = Path(__file__).resolve().parents[2]
PROBES = [pytest.param(probe, id=f"{group}: {probe.tried}") for group, (_, all_) in GROUPS.items() for probe in all_]


@pytest.mark.parametrize("probe", PROBES)
def test_a_guard_that_is_probed_fails_closed(probe: Probe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Word for word what the table says, and nothing is written."""
    monkeypatch.setattr("firebreak.response.confirm._ASK_AGAIN", ())
    did = probe.run(tmp_path)

    assert not did.startswith((ACTED, "loads", "starts"))
    assert did == probe.did


@pytest.mark.parametrize("control", CONTROLS, ids=lambda one: one.tried)
def test_a_guard_stops_nothing_else(control: Probe, tmp_path: Path) -> None:
    """Where nothing is wrong, the service is contained."""
    assert control.run(tmp_path) == control.did
    assert control.did.startswith(f"{ACTED}: contains: ")


def test_every_bar_and_caution_is_probed() -> None:
    """A new guard comes with a probe that shows it closed."""
    source = (ROOT / "firebreak" / "core" / "containment" / "guards.py").read_text(encoding="utf-8")
    named = set(re.findall(r'(?:_bar|_caution|Cap)\("(\w+)"', source)) | {"ceiling", "halt", "blast_radius"}
    said = " ".join(probe.did for _, probes in GROUPS.values() for probe in probes)

    assert {name for name in named if f"{name}: " not in said} == set()
