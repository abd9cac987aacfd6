"""What a release does with each setting, and what it must not do to the holds that remain."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from firebreak.core.cloud_run.setting_names import INGRESS, LATEST, POOL_SPLIT, SPLIT, TAG
from firebreak.core.cloud_run.state import Setting, State
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Revision, Workload
from firebreak.core.containment.active_containment import Hold, Standing
from firebreak.core.containment.restoration import keeps_others_shut, opened_suspects, released_keys
from firebreak.core.incidents.release import ReleasedKey, Restored

TARGET = Target("p", "l", "service", "svc")
RUN = "executions.e-1"


def workload(state: State, *revisions: str, latest: str | None = None) -> Workload:
    known = tuple(
        Revision(name, number, None, gen1=False, digests=frozenset()) for number, name in enumerate(revisions)
    )
    return Workload(TARGET, state, {}, known, latest, {}, {}, settled=True)


def released(
    current: State,
    applied: State,
    pending: Mapping[str, Setting | None],
    wanted: State,
    *revisions: str,
) -> list[tuple[str, Setting | None, Restored]]:
    """Key, value to restore and result, of each setting that there is something to do about."""
    standing = Standing(TARGET.key, applied=applied, pending=pending)
    keys = released_keys(standing, wanted, workload(current, *revisions))
    assert all((one.target, one.before) == (TARGET, current.get(one.key)) for one in keys)
    return [(one.key, one.after, one.result) for one in keys]


@pytest.mark.parametrize(
    ("current", "applied", "pending", "wanted", "keys"),
    [
        pytest.param({"x": 2}, {"x": 2}, {}, {"x": 1}, [("x", 1, "due")], id="written: due"),
        pytest.param({"x": 2}, {"x": 2}, {}, {}, [("x", None, "due")], id="added by us: to be taken away"),
        pytest.param({}, {}, {"x": None}, {"x": 1}, [("x", 1, "due")], id="taken away by us: due"),
        pytest.param({"x": 2}, {"x": 1}, {"x": 2}, {"x": 1}, [("x", 1, "due")], id="perhaps written: due"),
        pytest.param({"x": 1}, {"x": 1}, {"x": 2}, {"x": 1}, [("x", 1, "restored")], id="never written: as it was"),
        pytest.param({"x": 2}, {"x": 2}, {"x": 1}, {"x": 1}, [("x", 1, "due")], id="not restored yet: due"),
        pytest.param({"x": 2}, {"x": 2}, {"x": None}, {}, [("x", None, "due")], id="not taken away yet: due"),
        pytest.param({"x": 7}, {"x": 2}, {"x": 1}, {"x": 1}, [("x", 1, "person")], id="restored, then a person's"),
        pytest.param({"x": 7}, {"x": 2}, {}, {"x": 1}, [("x", 1, "person")], id="a person's: left alone"),
        pytest.param({"x": 1}, {"x": 2}, {}, {"x": 1}, [("x", 1, "restored")], id="put back by a person"),
        pytest.param({"x": 7}, {"x": 1}, {}, {"x": 1}, [], id="never ours: not told"),
        pytest.param({"x": 1}, {"x": 1}, {}, {"x": 1}, [], id="the same all along: not told"),
        pytest.param({"y": 5}, {}, {}, {}, [], id="never known: stays"),
        pytest.param(
            {RUN: "cancelled"},
            {RUN: "cancelled"},
            {},
            {RUN: "running"},
            [(RUN, "running", "gone")],
            id="a cancelled run: gone",
        ),
        pytest.param({RUN: "cancelled"}, {}, {}, {RUN: "running"}, [], id="a run of others"),
        pytest.param({RUN: "cancelled"}, {RUN: "running"}, {}, {RUN: "running"}, [], id="a run that ended by itself"),
        pytest.param(
            {"b": 7, "a": 7},
            {"a": 2, "b": 2},
            {},
            {"a": 1, "b": 1},
            [("a", 1, "person"), ("b", 1, "person")],
            id="two",
        ),
    ],
)
def test_each_setting_goes_back_unless_it_is_a_persons(
    current: State,
    applied: State,
    pending: Mapping[str, Setting | None],
    wanted: State,
    keys: list[tuple[str, Setting | None, Restored]],
) -> None:
    assert released(current, applied, pending, wanted) == keys


@pytest.mark.parametrize("split", [SPLIT, POOL_SPLIT])
@pytest.mark.parametrize(
    ("origin", "after", "result"),
    [
        ("r-1=60,r-2=40", "r-1=60,r-2=40", "due"),
        ("LATEST=100", "LATEST=100", "due"),
        ("r-1=100,deleted=0", "r-1=100", "due"),
        ("r-1=60,deleted=40", "r-1=60,deleted=40", "gone"),
    ],
)
def test_a_split_of_which_a_share_is_gone_is_gone_as_a_whole(
    split: str, origin: str, after: str, result: Restored
) -> None:
    """A revision without a share is left out of it: it was served by nobody."""
    here: State = {split: "r-2=100"}

    assert released(here, here, {}, {split: origin}, "r-1", "r-2") == [(split, after, result)]


@pytest.mark.parametrize(
    ("led_to", "result"), [("r-1", "due"), (LATEST, "due"), ("deleted", "gone")], ids=["there", "latest", "deleted"]
)
def test_a_tag_comes_back_where_its_revision_still_exists(led_to: str, result: Restored) -> None:
    tag = f"{TAG}canary"

    assert released({}, {}, {tag: None}, {tag: led_to}, "r-1") == [(tag, led_to, result)]


@pytest.mark.parametrize("key", [f"{TAG}canary", SPLIT, POOL_SPLIT])
def test_what_was_not_there_before_is_taken_away_and_is_not_called_gone(key: str) -> None:
    assert released({key: "r-1=100"}, {key: "r-1=100"}, {}, {}, "r-1") == [(key, None, "due")]


def test_what_was_given_back_and_not_seen_in_effect_yet_is_told_as_it_was_under_the_containment() -> None:
    standing = Standing(TARGET.key, applied={"x": 2, "y": 2}, pending={"x": 1, "y": None}, releasing="fb-1")
    keys = released_keys(standing, {"x": 1}, workload({"x": 1}))

    assert keys == (ReleasedKey(TARGET, "x", 2, 1), ReleasedKey(TARGET, "y", 2, None))


def test_what_a_release_leaves_alone_says_why() -> None:
    tag = f"{TAG}canary"
    applied: State = {"x": 2, "y": 2, RUN: "cancelled", tag: "r-1"}
    now = workload({"x": 7, "y": 1, RUN: "cancelled", tag: "r-1"}, "r-1")
    keys = released_keys(Standing(TARGET.key, applied=applied), {"x": 1, "y": 1, RUN: "running", tag: "deleted"}, now)

    assert {one.key: one.detail for one in keys} == {
        "x": "a person changed it, and it is left as it is",
        "y": "it was so already",
        RUN: "a cancelled run cannot be resumed",
        tag: "deleted does not exist any more",
    }


def test_what_is_gone_says_what_does_not_exist_any_more() -> None:
    standing = Standing(TARGET.key, applied={SPLIT: "r-1=100"})
    (key,) = released_keys(standing, {SPLIT: "b=1,a=99"}, workload({SPLIT: "r-1=100"}, "r-1"))

    assert key.detail == "a, b does not exist any more: the split stays as it is"


HELD = Standing(TARGET.key, holds=(Hold("fb-2", (), frozenset({"bad"}), 1),))


@pytest.mark.parametrize(
    ("now", "wanted", "opened"),
    [
        ({SPLIT: "ok=100"}, {SPLIT: "ok=50,bad=50"}, ("bad",)),
        ({SPLIT: "ok=100"}, {SPLIT: "ok=100,bad=0"}, ()),
        ({SPLIT: "ok=100"}, {SPLIT: "ok=100", f"{TAG}next": "bad"}, ("bad",)),
        ({SPLIT: "ok=100"}, {SPLIT: "LATEST=100"}, ("bad",)),
        ({SPLIT: "bad=100"}, {SPLIT: "ok=50,bad=50"}, ()),
        ({SPLIT: "ok=100", INGRESS: "none"}, {SPLIT: "ok=100", INGRESS: "all"}, ()),
        ({SPLIT: "ok=100"}, {SPLIT: "other=100"}, ()),
    ],
    ids=["a share", "no share", "a tag", "by LATEST", "led there before", "doors do not count", "nobody's suspect"],
)
def test_settings_that_would_lead_to_a_suspect_of_a_hold_that_remains_are_told(
    now: State, wanted: State, opened: tuple[str, ...]
) -> None:
    assert opened_suspects(HELD, wanted, workload(now, latest="bad")) == opened


def test_what_is_written_otherwise_than_it_was_is_what_another_hold_needs() -> None:
    standing = Standing(TARGET.key, origin={"x": 1, "y": 1, "z": 1})
    back = ReleasedKey(TARGET, "x", 2, 1)
    for_others = ReleasedKey(TARGET, "y", 2, 3)
    a_persons = ReleasedKey(TARGET, "z", 2, 3, "person")

    assert keeps_others_shut(standing, (back, for_others, a_persons)) == (for_others,)
