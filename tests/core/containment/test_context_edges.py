"""By which traffic an event is judged where something stands, and who is suspect because he was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from firebreak.core.cloud_run.setting_names import SPLIT
from firebreak.core.cloud_run.workload import Revision, Workload
from firebreak.core.containment.active_containment import Hold, Standing
from firebreak.core.containment.context import context_elsewhere, own_context
from firebreak.core.findings.container import Container
from firebreak.core.incidents.event import Event
from firebreak.core.incidents.incident import Incident
from tests.core.containment.guard_situations import ELSEWHERE, EVENT, FINDING, NONE, TARGET, workload

IMAGE = f"sha256:{1:064x}"
OLD, BAD = (
    Revision(name, at_ns, None, gen1=False, digests=digests)
    for name, at_ns, digests in (("r-0", 1, frozenset({f"sha256:{0:064x}"})), ("r-1", 2, frozenset({IMAGE})))
)
NOW: Workload = replace(
    workload(),
    state={SPLIT: "r-0=100"},
    effective={"r-0": 100},
    effective_tags={"t": "r-0"},
    revisions=(OLD, BAD, replace(BAD, name="r-2")),
)
AGE_ALONE = replace(FINDING, target=TARGET, containers=())
BY_IMAGE = replace(AGE_ALONE, containers=(Container("app", "image", IMAGE),))
INCIDENT = Incident("fb-1", "received", 0, 0, AGE_ALONE)
STANDS = Standing(TARGET.key, {SPLIT: "r-1=100"}, {SPLIT: "r-0=100"}, holds=(Hold("fb-2", (), frozenset({"r-1"}), 1),))


@pytest.mark.parametrize(
    ("verified_ns", "suspects"),
    [(None, {"r-1"}), (EVENT + 1, {"r-1"}), (EVENT, {"r-0"}), (EVENT - 1, {"r-0"})],
)
def test_an_event_from_before_the_containment_was_seen_in_effect_is_judged_by_the_traffic_of_then(
    verified_ns: int | None, suspects: set[str]
) -> None:
    standing = replace(STANDS, verified_ns=verified_ns)
    released = replace(standing, holds=())

    assert own_context(INCIDENT, AGE_ALONE, NOW, standing, NONE).own_suspects == suspects
    assert own_context(INCIDENT, AGE_ALONE, NOW, released, NONE).own_suspects == {"r-0"}


def test_what_carries_the_image_and_is_held_already_is_suspect_though_nothing_leads_to_it() -> None:
    standing = replace(STANDS, verified_ns=1)
    found = own_context(INCIDENT, BY_IMAGE, NOW, standing, NONE)

    assert found.suspicion.reason == "r-1 carries the image and is held already"
    assert (found.suspicion.rule, found.suspicion.unplaced) == ("digest", "")
    assert found.own_suspects == {"r-1"}
    assert own_context(INCIDENT, BY_IMAGE, NOW, standing, frozenset({"r-0"})).own_suspects == {"r-0", "r-1"}
    serves = replace(NOW, state={SPLIT: "r-2=100"})
    assert own_context(INCIDENT, BY_IMAGE, serves, standing, NONE).own_suspects == {"r-2"}
    assert own_context(INCIDENT, BY_IMAGE, NOW, None, NONE).own_suspects == NONE


def test_who_was_suspect_stays_so_and_others_suspects_are_held_beside() -> None:
    event = Event("e-1", EVENT, EVENT, "counts", suspects={TARGET.key: ("r-9",)})
    incident = replace(INCIDENT, events=(event,), unsupported=("x=1",))
    found = own_context(incident, AGE_ALONE, NOW, replace(STANDS, verified_ns=1), NONE)

    assert found.own_suspects == {"r-0", "r-9"}
    assert found.held == {"r-1"}
    assert found.unsupported == {"x=1"}


def test_another_region_goes_by_the_images_of_the_finding_s_own_and_an_account_by_nothing() -> None:
    serves = replace(NOW, state={SPLIT: "r-1=100"})
    own = own_context(INCIDENT, BY_IMAGE, serves, None, NONE)
    there, account = (
        replace(serves, target=one) for one in (ELSEWHERE, TARGET.account("a@shop.iam.gserviceaccount.com"))
    )

    assert context_elsewhere(INCIDENT, BY_IMAGE, there, None, own).own_suspects == {"r-1"}
    away = replace(NOW, target=ELSEWHERE)
    held = replace(STANDS, target=ELSEWHERE.key, verified_ns=1)
    assert context_elsewhere(INCIDENT, BY_IMAGE, away, held, own).own_suspects == {"r-1"}
    assert context_elsewhere(INCIDENT, BY_IMAGE, there, None, None).own_suspects == NONE
    assert context_elsewhere(INCIDENT, BY_IMAGE, account, None, own).own_suspects == NONE
