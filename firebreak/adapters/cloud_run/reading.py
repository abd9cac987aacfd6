"""Google's Service and Policy messages, read into a Workload."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from google.cloud.run_v2 import types as run_v2

from firebreak.adapters.cloud_run.revisions import is_settled, nanos, newest_ready, revision_of, short, told_to_serve
from firebreak.adapters.google.iam_policies import etag_of, policy_state
from firebreak.adapters.google.originals import message_json, policy_json
from firebreak.core.cloud_run.iam_grants import PUBLIC, may_reach
from firebreak.core.cloud_run.scaling import Scaling
from firebreak.core.cloud_run.setting_names import (
    DEFAULT_URI_DISABLED,
    INGRESS,
    INVOKER_CHECK_OFF,
    LATEST,
    SCALING,
    SPLIT,
    TAG,
)
from firebreak.core.cloud_run.state import Setting
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Workload, split_text
from firebreak.core.errors import Transient

# UNSPECIFIED on read means that no revision is active yet; the default, all, is then in force.
_INGRESS = MappingProxyType({0: "all", 1: "all", 2: "internal", 3: "internal-and-cloud-load-balancing", 4: "none"})


def ingress_word(number: int) -> str:
    """Our word for an ingress setting; one that this version does not know keeps its number."""
    return _INGRESS.get(number, f"unknown-{number}")


def ingress_number(word: str) -> int:
    """The API's number for the word, ALL rather than UNSPECIFIED."""
    known = {text: number for number, text in _INGRESS.items()}
    return known[word] if word in known else int(word.removeprefix("unknown-"))


_LATEST = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
_MANUAL = run_v2.ServiceScaling.ScalingMode.MANUAL


def workload_of(
    target: Target,
    service: run_v2.Service,
    revisions: list[run_v2.Revision],
    policy: Any,  # noqa: ANN401 - google.iam.v1 Policy, which has no stubs; or the fault that says why there is none
) -> Workload:
    """The service as it is wished for and as it serves."""
    unread = {"service_iam": str(policy)} if isinstance(policy, Exception) else {}
    access = {} if unread else policy_state(policy, "service_iam", _public)
    etags = {"service": service.etag} | ({} if unread else {"service_iam": etag_of(policy)})
    latest = short(service.latest_ready_revision) or newest_ready(revisions)
    effective, tags = _effective(service, latest)
    return Workload(
        target=target,
        state=MappingProxyType(_state(service) | access),
        etags=MappingProxyType(etags),
        revisions=tuple(revision_of(one) for one in revisions),
        latest=latest,
        effective=MappingProxyType(effective),
        effective_tags=MappingProxyType(tags),
        settled=is_settled(service),
        created_ns=nanos(service.create_time),
        updated_ns=nanos(service.update_time),
        last_modifier=service.last_modifier,
        labels=MappingProxyType(dict(service.labels)),
        urls=tuple(service.urls) or ((service.uri,) if service.uri else ()),
        service_account=service.template.service_account,
        invokers=None if unread else _invokers(policy),
        min_instances=service.scaling.min_instance_count,
        regions=tuple(service.multi_region_settings.regions),
        originals=lambda: _originals(service, revisions, policy),
        function=any(
            key.startswith("goog-managed-by") and "function" in value for key, value in service.labels.items()
        ),
        iap=service.iap_enabled,
        unread=MappingProxyType(unread),
        away=frozenset(unread) if isinstance(policy, Transient) else frozenset(),
        uid=service.uid,
    )


def _originals(service: run_v2.Service, revisions: list[run_v2.Revision], policy: Any) -> dict[str, Any]:  # noqa: ANN401
    """Google's messages in their own JSON; the traffic also by itself, because that is what is changed first."""
    whole = message_json(service)
    found = {
        "service": whole,
        "traffic": {key: whole[key] for key in ("traffic", "trafficStatuses") if key in whole},
        "revisions": [message_json(one) for one in revisions],
    }
    return found | policy_json(policy)


def _state(service: run_v2.Service) -> dict[str, Setting]:
    split: dict[str, int] = {}
    state: dict[str, Setting] = {}
    for one in service.traffic:
        name = LATEST if one.type_ == _LATEST or not one.revision else one.revision
        if one.tag:
            state[TAG + one.tag] = name
        if one.percent or not one.tag:
            split[name] = split.get(name, 0) + one.percent
    state[SPLIT] = split_text(split or {LATEST: 100})
    state[INGRESS] = ingress_word(service.ingress)
    state[DEFAULT_URI_DISABLED] = service.default_uri_disabled
    state[INVOKER_CHECK_OFF] = service.invoker_iam_disabled
    state[SCALING] = _scaling(service.scaling).text
    return state


def _scaling(scaling: run_v2.ServiceScaling) -> Scaling:
    if scaling.scaling_mode == _MANUAL:
        return Scaling(manual=scaling.manual_instance_count)
    return Scaling(least=scaling.min_instance_count, most=scaling.max_instance_count or None)


def _public(role: str, member: str) -> bool:
    return member in PUBLIC and may_reach(role)


def _effective(service: run_v2.Service, latest: str | None) -> tuple[dict[str, int], dict[str, str]]:
    """Where traffic goes now: percent by revision and revision by tag, both from `traffic_statuses`.

    Only the statuses tell what serves: after a failed reconciliation they stay those of the last serving state,
    whatever `traffic` asks for (run_v2.Service docstring, `reconciling`).
    """
    percents: dict[str, int] = {}
    tags: dict[str, str] = {}
    for one in told_to_serve(service, service.traffic_statuses, service.traffic):
        name = one.revision or latest or LATEST
        percents[name] = percents.get(name, 0) + one.percent
        if one.tag:
            tags[one.tag] = name
    return percents, tags


def _invokers(policy: Any) -> frozenset[str]:  # noqa: ANN401
    """Members of every binding that may carry the right to invoke."""
    return frozenset(member for binding in policy.bindings if may_reach(binding.role) for member in binding.members)
