"""What is in the cloud when a history begins."""

from __future__ import annotations

from collections.abc import Iterator

from firebreak.core.cloud_run.setting_names import (
    ACCOUNT,
    DEFAULT_URI_DISABLED,
    ENABLED,
    EXECUTION,
    INGRESS,
    INVOKER_CHECK_OFF,
    POOL_SPLIT,
    RUNNING,
    SCALING,
    SPLIT,
)
from firebreak.core.cloud_run.state import Setting
from firebreak.core.cloud_run.workload import Revision
from sandbox.blueprint import digest_of
from tests.model.clock import DAY
from tests.model.cloud import Cloud, Resource, target_at
from tests.model.people import PUBLIC

CHECKOUT = "shop-prod/europe-west1/service/checkout"
CART = "shop-prod/europe-west1/service/cart"
CART_IN_US = "shop-prod/us-east1/service/cart"
INDEXER = "shop-prod/europe-west1/worker_pool/indexer"
NIGHTLY = "shop-prod/europe-west1/job/nightly"
PAY = "payments-prod/europe-west1/service/pay"
OWN = "firebreak-ops/europe-west1/service/firebreak"
ACCOUNT_OF_CHECKOUT = "shop-prod/global/service_account/checkout@shop-prod.iam.gserviceaccount.com"
SHARED = "shop-prod/global/service_account/shared@shop-prod.iam.gserviceaccount.com"
EVERYWHERE = (CHECKOUT, CART, CART_IN_US, INDEXER, NIGHTLY, PAY, OWN, ACCOUNT_OF_CHECKOUT, SHARED)
_REGIONS = ("europe-west1", "us-east1")
_AGES = {6: 30 * DAY, 7: 10 * DAY, 8: DAY}
"""Number of a revision, and of its image, to its age."""


def set_up(cloud: Cloud, places: tuple[str, ...] = EVERYWHERE) -> None:
    """Put everything at these places into the cloud."""
    for one in _resources(cloud):
        if one.place in places:
            cloud.put(one.served())


def _resources(cloud: Cloud) -> Iterator[Resource]:
    for place in (CHECKOUT, CART, CART_IN_US, PAY, OWN):
        regions = _REGIONS if place in (CART, CART_IN_US) else ()
        name = "cart-us" if place == CART_IN_US else place.rpartition("/")[2]
        account = SHARED if regions else ACCOUNT_OF_CHECKOUT
        yield _resource(cloud, place, _service(), name, account, regions)
    yield _resource(cloud, INDEXER, {POOL_SPLIT: "LATEST=100"}, "indexer", SHARED)
    runs: dict[str, Setting] = {f"{EXECUTION}nightly-7": RUNNING, f"{EXECUTION}nightly-8": RUNNING}
    yield _resource(
        cloud, NIGHTLY, {**runs, "job_iam.roles/run.invoker||serviceAccount:cron@x": True}, "nightly", SHARED
    )
    for place in (ACCOUNT_OF_CHECKOUT, SHARED):
        email = place.rpartition("/")[2]
        yield _resource(cloud, place, {f"{ACCOUNT}{email}": ENABLED}, "", "")


def _service() -> dict[str, Setting]:
    return {
        SPLIT: "LATEST=100",
        INGRESS: "all",
        DEFAULT_URI_DISABLED: False,
        INVOKER_CHECK_OFF: False,
        SCALING: "automatic 0-100",
        PUBLIC: True,
    }


def _resource(
    cloud: Cloud,
    place: str,
    settings: dict[str, Setting],
    name: str,
    account: str,
    regions: tuple[str, ...] = (),
) -> Resource:
    now_ns, target, email = cloud.clock.now_ns, target_at(place), account.rpartition("/")[2]
    surfaces = {
        "service": ("service", "service_iam"),
        "worker_pool": ("worker_pool",),
        "job": ("job_iam",),
        "service_account": (),
    }[target.kind]
    revisions = tuple(
        Revision(
            f"{name}-{number}",
            now_ns - age,
            None,
            gen1=False,
            digests=frozenset({digest_of(number)}),
            service_account=email,
        )
        for number, age in _AGES.items()
    )
    return Resource(
        target,
        cloud.new_uid(),
        created_ns=now_ns - 40 * DAY,
        updated_ns=now_ns - DAY,
        settings=settings,
        revisions=revisions if name else (),
        etags=dict.fromkeys(surfaces, 1),
        regions=regions,
        account=email,
    )
