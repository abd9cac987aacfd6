"""Probes of what is shared: the accounts that suspects run as, who else runs as them, and which are left alone."""

from __future__ import annotations

from typing import Any

from firebreak.core.incidents.incident import Incident
from sandbox.wire import Fault
from tests.guards.probing import Act, Probe, line, word
from tests.response.harness import PIN_ONLY, SERVICE, Line, revision

PAY, PAYMENTS = "pay@shop-prod.iam.gserviceaccount.com", "payments@shop-prod.iam.gserviceaccount.com"
ELSEWHERE = "pay@shop-test.iam.gserviceaccount.com"
COMPUTE, APP_ENGINE = "424242424242-compute@developer.gserviceaccount.com", "shop-prod@appspot.gserviceaccount.com"
AGENT = "service-424242424242@gcp-sa-run.iam.gserviceaccount.com"
_STEP = "{action: disable_service_account}"
_SHARED = "asks a person: shared: disable_service_account affects other workloads too"
_UNSEEN = (
    "Compute Engine, GKE, App Engine, 1st gen functions, Cloud Build, Dataflow and other products; "
    "workloads of other projects, older revisions that still serve, keys, and whoever may impersonate it"
)
_NOBODY = f"{_SHARED}: {PAY} is not used by any other workload that was found; not checked"


def _policy(step: str = _STEP) -> str:
    return PIN_ONLY.replace("{action: pin_previous_revision}", step)


def _service(name: str, account: str, place: str = "shop-prod/locations/europe-west1") -> dict[str, Any]:
    return {
        "name": f"projects/{place}/services/{name}",
        "service_account": account,
        "revisions": [revision(f"{name}-00001", 5, "-9d")],
    }


def _world(account: str, *others: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The service runs as the account; the others stand beside it."""
    checkout = {"name": SERVICE, "service_account": account, "public": True, "updated": "-3h"}
    revisions = [revision("checkout-00007-good", 7, "-10d"), revision("checkout-00008-bad", 8, "-3h")]
    emails = {account, PAY, PAYMENTS} - {""}
    accounts = [{"email": one, "project": "shop-test" if one == ELSEWHERE else "shop-prod"} for one in sorted(emails)]
    return {
        "services": [{**checkout, "revisions": revisions}, *others],
        "service_accounts": accounts,
        **more,
    }


def _probe(tried: str, careless: str, did: str, account: str = PAY, *others: dict[str, Any], **options: Any) -> Probe:
    act: Act = options.pop("act", _found)
    policy = _policy(options.pop("step", _STEP))
    world = _world(account, *others, **options.pop("beside", {}))
    return line(tried, careless, did, act, world=world, policy=policy, **options)


def _found(on: Line) -> Incident:
    return on.respond(on.finding())


def _refused(on: Line) -> str:
    """How it ended, and why no step could be drawn."""
    incident = on.respond(on.finding())
    reasons = [one.reason for one in incident.plan.refusals] if incident.plan else []
    return f"{word(incident)}: {'; '.join(reasons)}"


def _failing(method: str) -> Any:
    return lambda on: on.sandbox.wire.inject(Fault(method, "error", code="PERMISSION_DENIED", times=None))


ACCOUNTS: tuple[Probe, ...] = (
    _probe(
        "another service runs as the suspects' account",
        "disables it, and stops that service too",
        f"{_SHARED}: {PAY} is also the identity of service basket in europe-west1; not checked: {_UNSEEN}",
        PAY,
        _service("basket", PAY),
    ),
    _probe(
        "a service runs as `payments@…`, the suspects as `pay@…`; another project has a `pay@…` of its own",
        "compares beginnings, and names the wrong one",
        f"{_NOBODY}: {_UNSEEN}",
        PAY,
        _service("ledger", PAYMENTS),
        _service("till", ELSEWHERE),
        _service("away", PAY, "shop-test/locations/europe-west1"),
    ),
    _probe(
        "the services of the project cannot be listed",
        "takes no answer for nobody",
        f"{_NOBODY}: the services of shop-prod, which could not be listed: PERMISSION_DENIED: planted by the sandbox; "
        f"{_UNSEEN}",
        prepare=_failing("*/ListServices"),
    ),
    _probe(
        "nothing of the project can be listed",
        "takes no answer for nobody",
        f"{_NOBODY}: "
        + "".join(
            f"the {noun} of shop-prod, which could not be listed: PERMISSION_DENIED: planted by the sandbox; "
            for noun in ("services", "jobs", "worker pools")
        )
        + _UNSEEN,
        prepare=_failing("*/List[SJW]*"),
    ),
    _probe(
        "services and worker pools are not listed for all regions at once",
        "looks at one region, and says nobody",
        f"{_NOBODY}: the services of shop-prod outside europe-west1; the worker pools of shop-prod outside europe-west1; "
        f"{_UNSEEN}",
        beside={"lists_everywhere": False},
    ),
    _probe(
        "the account is Compute Engine's default one",
        "stops half the project",
        f"asks for help: {COMPUTE} is a default service account, as which much else in its project may run: give the "
        "workload one of its own, or say allow_default: true in the step",
        COMPUTE,
        act=_refused,
    ),
    _probe(
        "the account is App Engine's default one",
        "stops half the project",
        f"asks for help: {APP_ENGINE} is a default service account, as which much else in its project may run: give the "
        "workload one of its own, or say allow_default: true in the step",
        APP_ENGINE,
        act=_refused,
    ),
    _probe(
        "the suspects name no account, so that the project's default one is meant",
        "stops half the project",
        "asks for help: no suspect names the service account that it runs as: that is then its project's default one, "
        "which is not disabled by guessing",
        "",
        act=_refused,
    ),
    _probe(
        "the account is an agent of Google's own, and the step says `allow_default: true`",
        "stops Google's service for the whole project",
        f"asks for help: {AGENT} is not a service account of anybody's workload: it is never disabled",
        AGENT,
        act=_refused,
        step="{action: disable_service_account, allow_default: true}",
    ),
    _probe(
        "the account is one of Firebreak's own project",
        "disables what it runs on",
        "records the plan: self: shop-test is the project that Firebreak itself runs in; shared: disable_service_account "
        f"affects other workloads too: {ELSEWHERE} is not used by any other workload that was found; not checked: {_UNSEEN}",
        ELSEWHERE,
        FIREBREAK_SELF="//run.googleapis.com/projects/shop-test/locations/europe-west1/services/firebreak",
    ),
    _probe(
        "the account is of another project, and of Firebreak's own the number alone is known",
        "compares texts, and disables what it may run on",
        "records the plan: self: it is not known whether this is the project that Firebreak itself runs in; shared: "
        f"disable_service_account affects other workloads too: {ELSEWHERE} is not used by any other workload that "
        f"was found; not checked: {_UNSEEN}",
        ELSEWHERE,
        FIREBREAK_SELF="//run.googleapis.com/projects/777/locations/europe-west1/services/firebreak",
    ),
    _probe(
        "the account cannot be read",
        "disables what it knows nothing of",
        f"asks a person: service_account could not be read: {PAY}: PERMISSION_DENIED: planted by the sandbox",
        act=_refused,
        prepare=_failing("*/GetServiceAccount"),
    ),
)
