"""Words of a YAML world into Google's messages."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from google.cloud import run_v2
from google.iam.v1 import policy_pb2

from sandbox.cloud_run.service_scaling import scaling_from

Moment = Callable[[str | None], dt.datetime]

_BROKEN = "HEALTH_CHECK_CONTAINER_ERROR"
INGRESS = {"all": 1, "internal": 2, "internal-and-cloud-load-balancing": 3, "none": 4}
_SERVICE = frozenset(
    "name created updated labels ingress public iam invoker_iam_disabled default_uri_disabled service_account revisions"
    " traffic min_instances last_modifier scaling regions iap".split()
)
_AUTOMATIC = b"\x28\x01"
"""Field 5, `scaling_mode`, says AUTOMATIC: gcloud's own client has that field, and the library lacks it."""
_POOL = frozenset("name created updated labels service_account revisions splits instances last_modifier".split())
_JOB = frozenset("name created updated labels public iam service_account executions last_modifier".split())
_EXECUTION = frozenset("name image created ended tasks creator".split())
_SPLIT = frozenset("latest revision percent".split())
_TRAFFIC = frozenset("latest revision percent tag".split())
_BINDING = frozenset("role members condition".split())
_LOG = frozenset("of at revision execution severity log text json entry".split())
_LOGGED = {
    "services": ("cloud_run_revision", "service_name"),
    "jobs": ("cloud_run_job", "job_name"),
    "workerPools": ("cloud_run_worker_pool", "worker_pool_name"),
    "instances": ("cloud_run_instance", "instance_name"),
}
_REVISION = frozenset(
    "name image digest sidecars created ready reason generation min_instances timeout service_account creator".split()
)


def check_keys(given: Mapping[str, Any], known: frozenset[str], what: str) -> None:
    """Raises ValueError for a key that nobody reads."""
    if unknown := sorted(given.keys() - known):
        message = f"{what}: unknown {', '.join(unknown)}; known are {', '.join(sorted(known))}"
        raise ValueError(message)


def new_uid() -> str:
    """What tells a resource from the one that is made anew under its name."""
    return str(uuid.uuid4())


def service_from(given: Mapping[str, Any], moment: Moment) -> run_v2.Service:
    """The service's settings; what is effective follows when it settles."""
    check_keys(given, _SERVICE, "service")
    for one in given.get("traffic", ()):
        check_keys(one, _TRAFFIC, "traffic")
    latest = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
    named = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
    traffic = [
        run_v2.TrafficTarget(
            type_=latest if one.get("latest") else named,
            revision=one.get("revision", ""),
            percent=one.get("percent", 0),
            tag=one.get("tag", ""),
        )
        for one in given.get("traffic", [{"latest": True, "percent": 100}])
    ]
    name = str(given["name"])
    return run_v2.Service(
        name=name,
        uid=new_uid(),
        create_time=moment(given.get("created", "-30d")),
        update_time=moment(given.get("updated", "-3h")),
        last_modifier=given.get("last_modifier", "ci@shop.example"),
        labels=given.get("labels", {}),
        ingress=INGRESS[given.get("ingress", "all")],
        invoker_iam_disabled=given.get("invoker_iam_disabled", False),
        iap_enabled=given.get("iap", False),
        default_uri_disabled=given.get("default_uri_disabled", False),
        scaling=scaling_from({"min": given.get("min_instances", 0), **given.get("scaling", {})}),
        template=run_v2.RevisionTemplate(
            service_account=given.get("service_account", account_of(name)),
            containers=[run_v2.Container(image="registry.test/app:latest")],
        ),
        traffic=traffic,
        generation=1,
        observed_generation=1,
        urls=[f"https://{name.rpartition('/')[2]}.run.test"],
        multi_region_settings=run_v2.Service.MultiRegionSettings(regions=given.get("regions", [])),
    )


def revision_from(service: str, given: Mapping[str, Any], moment: Moment) -> run_v2.Revision:
    """A revision; `image: 7` stands for the digest that ends in 7, and each of `sidecars` for one; 0 for a mere tag."""
    check_keys(given, _REVISION, "revision")
    digests = [given.get("digest") or digest_of(given.get("image", 0))]
    digests += [digest_of(one) if one else "" for one in given.get("sidecars", ())]
    ready = given.get("ready", True)
    condition = run_v2.Condition(
        type_="Ready",
        state=run_v2.Condition.State.CONDITION_SUCCEEDED if ready else run_v2.Condition.State.CONDITION_FAILED,
    )
    if not ready:
        condition.revision_reason = getattr(run_v2.Condition.RevisionReason, given.get("reason", _BROKEN))
    # As a healthy old revision really reads: only Ready is true.
    active = run_v2.Condition(type_="Active", state=run_v2.Condition.State.CONDITION_FAILED)
    generation = given.get("generation", "gen2")
    return run_v2.Revision(
        name=f"{service}/revisions/{given['name']}",
        uid=new_uid(),
        service=service,
        create_time=moment(given.get("created")),
        creator=given.get("creator", "ci@shop.example"),
        containers=[
            run_v2.Container(image=f"registry.test/app@{one}" if one else "registry.test/app:latest") for one in digests
        ],
        execution_environment=getattr(run_v2.ExecutionEnvironment, f"EXECUTION_ENVIRONMENT_{generation.upper()}"),
        service_account=given.get("service_account", ""),
        scaling=run_v2.RevisionScaling(min_instance_count=given.get("min_instances", 0)),
        timeout=dt.timedelta(seconds=given.get("timeout", 300)),
        conditions=[condition, active],
    )


def pool_from(given: Mapping[str, Any], moment: Moment) -> run_v2.WorkerPool:
    """A worker pool's settings; what is effective follows when it settles."""
    check_keys(given, _POOL, "worker pool")
    for one in given.get("splits", ()):
        check_keys(one, _SPLIT, "split")
    name = str(given["name"])
    pool = run_v2.WorkerPool(
        name=name,
        uid=new_uid(),
        create_time=moment(given.get("created", "-30d")),
        update_time=moment(given.get("updated", "-3h")),
        last_modifier=given.get("last_modifier", "ci@shop.example"),
        labels=given.get("labels", {}),
        template=run_v2.WorkerPoolRevisionTemplate(service_account=given.get("service_account", account_of(name))),
        instance_splits=[instance_split(one) for one in given.get("splits", [{"latest": True, "percent": 100}])],
        generation=1,
        observed_generation=1,
    )
    if "instances" in given:
        pool.scaling = pool_scaling(given["instances"])
    return pool


def pool_scaling(instances: int | str) -> run_v2.WorkerPoolScaling:
    """A world's words: a fixed number, or `auto` for as many as Cloud Run decides."""
    if isinstance(instances, int):
        return run_v2.WorkerPoolScaling(manual_instance_count=instances)
    made: run_v2.WorkerPoolScaling = run_v2.WorkerPoolScaling.deserialize(_AUTOMATIC)
    return made


def job_from(given: Mapping[str, Any], moment: Moment) -> run_v2.Job:
    """A job's settings."""
    check_keys(given, _JOB, "job")
    name = str(given["name"])
    template = run_v2.TaskTemplate(
        service_account=given.get("service_account", account_of(name)),
        containers=[run_v2.Container(image="registry.test/app:latest")],
    )
    return run_v2.Job(
        name=name,
        uid=new_uid(),
        create_time=moment(given.get("created", "-30d")),
        update_time=moment(given.get("updated", "-3h")),
        last_modifier=given.get("last_modifier", "ci@shop.example"),
        labels=given.get("labels", {}),
        template=run_v2.ExecutionTemplate(template=template),
        generation=1,
        observed_generation=1,
    )


def execution_from(job: run_v2.Job, given: Mapping[str, Any], moment: Moment) -> run_v2.Execution:
    """A run of the job, which has its template's snapshot; `ended` is when it succeeded, else it runs."""
    check_keys(given, _EXECUTION, "execution")
    template = run_v2.TaskTemplate(job.template.template)
    image = f"registry.test/app@{digest_of(given['image'])}" if "image" in given else "registry.test/app:latest"
    template.containers = [run_v2.Container(image=image)]
    tasks = given.get("tasks", 1)
    execution = run_v2.Execution(
        name=f"{job.name}/executions/{given['name']}",
        uid=new_uid(),
        job=job.name.rpartition("/")[2],
        create_time=moment(given.get("created")),
        creator=given.get("creator", "ci@shop.example"),
        start_time=moment(given.get("created")),
        template=template,
        task_count=tasks,
        running_count=tasks,
        generation=1,
        observed_generation=1,
    )
    if "ended" in given:
        execution.completion_time = moment(given["ended"])  # type: ignore[assignment]  # proto-plus takes a datetime
        execution.running_count, execution.succeeded_count = 0, tasks
    return execution


def instance_split(given: Mapping[str, Any]) -> run_v2.InstanceSplit:
    """A share of instances from a world's words."""
    kind = run_v2.InstanceSplitAllocationType
    latest = bool(given.get("latest"))
    return run_v2.InstanceSplit(
        type_=kind.INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST if latest else kind.INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION,
        revision="" if latest else given["revision"],
        percent=given.get("percent", 0),
    )


def account_of(name: str) -> str:
    """The identity that a workload runs as unless it says otherwise: one of its own."""
    return f"{name.rpartition('/')[2]}@shop-prod.iam.gserviceaccount.com"


def digest_of(image: int | str) -> str:
    """The digest that stands for a numbered image."""
    return f"sha256:{image:0>64}"


def policy_from(given: Mapping[str, Any]) -> policy_pb2.Policy:
    """The service's own IAM policy."""
    bindings = list(given.get("iam", ()))
    if given.get("public"):
        bindings.append({"role": "roles/run.invoker", "members": ["allUsers"]})
    for one in bindings:
        check_keys(one, _BINDING, "iam")
    return policy_pb2.Policy(version=3, bindings=[policy_pb2.Binding(**one) for one in bindings])


def log_entry_from(given: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
    """A log entry in Cloud Logging's JSON, of the workload `of`; `entry` overrides and adds whatever it says."""
    check_keys(given, _LOG, "log")
    _, project, _, location, kind, name = str(given["of"]).split("/")
    resource_type, label = _LOGGED[kind]
    labels = {"project_id": project, "location": location, label: name}
    if "revision" in given:
        labels |= {"configuration_name": name, "revision_name": given["revision"]}
    at = moment(given.get("at")).astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    entry: dict[str, Any] = {
        "logName": f"projects/{project}/logs/run.googleapis.com%2F{given.get('log', 'stdout')}",
        "resource": {"type": resource_type, "labels": labels},
        "timestamp": at,
        "receiveTimestamp": at,
        "severity": given.get("severity", "DEFAULT"),
        "insertId": uuid.uuid4().hex,
    }
    if "execution" in given:
        entry["labels"] = {"run.googleapis.com/execution_name": given["execution"]}
    payload = {"textPayload": given["text"]} if "text" in given else {}
    payload |= {"jsonPayload": given["json"]} if "json" in given else {}
    return entry | payload | dict(given.get("entry", {}))
