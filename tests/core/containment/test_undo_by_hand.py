"""The gcloud lines that restore settings: what gcloud 528 takes. Its own parser reads them too, where there is one."""

from __future__ import annotations

import json
import shlex

import pytest

from firebreak.core.cloud_run.iam_grants import Grant
from firebreak.core.cloud_run.setting_names import DEFAULT_URI_DISABLED, SCALING
from firebreak.core.cloud_run.state import Setting
from firebreak.core.cloud_run.target import Kind, Target
from firebreak.core.containment.gcloud_rollback import undo_lines
from firebreak.core.containment.plan import Change, Plan

HOSTILE = 'request.path == "x;~@;;~~@@"\nrm -rf /'


def lines(kind: Kind, surface: str, before: dict[str, Setting | None]) -> tuple[str, ...]:
    target = Target("shop-prod", "europe-west1", kind, "checkout")
    return undo_lines(Plan((Change(target, surface, before, dict.fromkeys(before), {}, ()),), ()))


def grant(kind: Kind, **condition: str) -> str:
    """The line that gives a grant back."""
    surface = f"{kind}_iam"
    one = Grant("roles/run.invoker", "allUsers", json.dumps(condition) if condition else "")
    (line,) = lines(kind, surface, {one.key(surface): one.value})
    return line


@pytest.mark.parametrize(("key", "value"), [(DEFAULT_URI_DISABLED, False), (SCALING, "automatic 0-100")])
def test_what_only_the_beta_track_can_set_is_set_there(key: str, value: Setting) -> None:
    (line,) = lines("service", "service", {key: value})

    assert line.startswith("gcloud beta run services update checkout ")


def test_a_grant_on_a_job_says_no_condition_because_gcloud_knows_none_there() -> None:
    assert "--condition" not in grant("job")
    assert grant("service").endswith("--condition=None")


def test_a_condition_on_a_job_is_told_and_left_to_a_whole_policy() -> None:
    told = grant("job", title="t", expression=HOSTILE)

    assert told.startswith("# allUsers had roles/run.invoker under ")
    assert told.endswith("gcloud run jobs set-iam-policy checkout --project=shop-prod --region=europe-west1 FILE")
    assert "\n" not in told


@pytest.mark.parametrize("expression", ['resource.name in ["a", "b"]', f"[1,2] == [] || {HOSTILE}"])
def test_a_condition_with_commas_is_one_value_whatever_else_is_in_it(expression: str) -> None:
    """Parted by a mark that it does not contain, which gcloud is told first."""
    value = shlex.split(grant("service", title="t", expression=expression))[-1].removeprefix("--condition=")
    _, mark, parts = value.split("^", 2)

    assert mark not in expression
    assert dict(one.split("=", 1) for one in parts.split(mark)) == {"title": "t", "expression": expression}
