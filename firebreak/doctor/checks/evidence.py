"""The evidence bucket: kept for so long, and closed to the public."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from firebreak.doctor.result import APPLY, Check, Examined, Fault, Item, Ok, Result
from firebreak.ports.deadline import Deadline

_DAY = 86_400


def _items(examined: Examined) -> Iterator[Item]:
    yield Item(f"the bucket {examined.deployment.bucket}", partial(_look, examined))


def _look(examined: Examined, deadline: Deadline) -> Iterator[Result]:
    wanted = examined.deployment
    found = examined.cloud.get(f"//storage.googleapis.com/{wanted.bucket}", deadline)
    kept = int(found.get("retentionPolicy", {}).get("retentionPeriod", 0))
    if kept < wanted.retention:
        yield Fault(f"evidence can be deleted after {kept // _DAY} days instead of {wanted.retention // _DAY}", APPLY)
    access = found.get("iamConfiguration", {})
    if access.get("publicAccessPrevention") != "enforced" or not access.get("uniformBucketLevelAccess", {}).get(
        "enabled"
    ):
        yield Fault("single objects of the evidence may be made public", APPLY)
    yield Ok(f"{wanted.bucket} was looked at, where evidence stays for {kept // _DAY} days")


check = Check("the evidence", "roles/storage.bucketViewer on the project", _items)
