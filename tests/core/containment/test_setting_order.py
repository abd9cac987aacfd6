"""The order of each setting: what opens more than what, by its right value."""

from __future__ import annotations

import itertools

import pytest

from firebreak.core.actions.case import EditContext
from firebreak.core.actions.setting_order import loosened_settings, narrower_ingress, order_of
from firebreak.core.actions.suspects import Suspicion
from firebreak.core.cloud_run.state import Setting, State
from firebreak.core.cloud_run.target import Target

NONE: frozenset[str] = frozenset()
TARGET = Target("p", "l", "service", "svc")
CASE = EditContext(TARGET, Suspicion("named", frozenset({"bad"}), "why"), (), "bad", NONE, held=frozenset({"other"}))
GRANT = "service_iam.roles/run.invoker||allUsers"
INGRESSES = ("none", "internal", "internal-and-cloud-load-balancing", "all")
CLOSING: tuple[tuple[str, Setting, Setting], ...] = (
    *(("service.ingress", more, less) for less, more in itertools.pairwise(INGRESSES)),
    ("service.ingress", "all", "none"),
    ("service.ingress", "unheard-of", "all"),
    ("service.default_uri_disabled", False, True),
    ("service.invoker_iam_disabled", True, False),
    ("service.scaling", "automatic 0-100", "manual 0"),
    ("service.scaling", "automatic 2-unset", "automatic 2-9"),
    ("service.scaling", "automatic 2-9", "automatic 1-9"),
    ("service.scaling", "manual 3", "manual 2"),
    ("worker_pool.instances", 2, 1),
    ("executions.one", "running", "cancelled"),
    ("service_account.a@p", "enabled", "disabled"),
    ("service.traffic.split", "bad=60,good=40", "bad=50,good=50"),
    ("worker_pool.split", "LATEST=1,good=99", "good=100"),
    ("service.traffic.tag.x", "bad", "good"),
)
GOING = (GRANT, GRANT.replace("service", "job", 1), "service.traffic.tag.x", "service.scaling", "worker_pool.instances")


ON, OFF = True, False


def wider(key: str, before: Setting | None, after: Setting | None) -> bool:
    """Whether going from one value of one setting to another loosens anything."""
    rest: State = {"service.traffic.split": "good=100"} if "tag" in key else {}
    was, now = ({**rest, **({} if one is None else {key: one})} for one in (before, after))
    return loosened_settings(was, now, CASE) != ()


@pytest.mark.parametrize(("key", "more", "less"), CLOSING, ids=str)
def test_one_way_closes_and_the_other_one_loosens(key: str, more: Setting, less: Setting) -> None:
    assert order_of(key) is not None
    assert not wider(key, more, less)
    assert wider(key, less, more)
    assert not wider(key, more, more)


@pytest.mark.parametrize("key", GOING[:3])
def test_a_grant_or_a_tag_may_go_and_none_may_come(key: str) -> None:
    assert not wider(key, "good", None)
    assert wider(key, None, "good")


@pytest.mark.parametrize("key", [GRANT, GRANT.replace("service", "job", 1)])
def test_another_condition_is_another_grant(key: str) -> None:
    assert wider(key, "until spring", ON)
    assert wider(key, ON, "until spring")


def test_what_is_not_set_is_as_open_as_it_can_be() -> None:
    assert not wider("service.ingress", None, "all")
    assert wider("service.ingress", "internal", None)
    assert not wider("service.scaling", None, "automatic 0-100")
    assert wider("service.scaling", "automatic 0-100", None)
    assert not wider("worker_pool.instances", None, 5)
    assert wider("worker_pool.instances", 5, None)
    assert not wider("service.default_uri_disabled", None, OFF)
    assert wider("service.default_uri_disabled", ON, None)
    assert not wider("service.invoker_iam_disabled", OFF, None)
    assert wider("service.invoker_iam_disabled", None, ON)
    assert wider("service.ingress", "all", "unheard-of")


def test_no_suspect_gains_a_share_a_tag_or_a_place_in_the_split_whosever_suspect_it_is() -> None:
    at_zero = {"service.traffic.split": "good=100,bad=0"}

    assert loosened_settings({"service.traffic.split": "good=100"}, at_zero, CASE) == ("what leads to bad",)
    assert loosened_settings(at_zero, {"service.traffic.split": "good=99,LATEST=1"}, CASE) == ("what leads to bad",)
    assert loosened_settings(at_zero, {**at_zero, "service.traffic.split": "other=1,bad=0,good=99"}, CASE) == (
        "what leads to other",
    )
    moved = {**at_zero, "service.traffic.tag.x": "good"}, {**at_zero, "service.traffic.tag.x": "LATEST"}
    assert loosened_settings(*moved, CASE) == ("what leads to bad",)


def test_a_setting_without_an_order_loosens_nothing() -> None:
    assert order_of("service.label") is None
    assert not wider("service.label", "a", "b")


@pytest.mark.parametrize("now", [None, *INGRESSES, "unheard-of"])
@pytest.mark.parametrize("wanted", ["none", "internal"])
def test_the_narrower_of_two_ingresses_is_the_one_that_lets_in_less(now: str | None, wanted: str) -> None:
    assert narrower_ingress(now, wanted) == ("none" if "none" in (now, wanted) else "internal")
