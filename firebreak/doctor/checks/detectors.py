"""The detectors whose threats on Cloud Run Security Command Center holds, and that no policy asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import islice

from firebreak.core.timestamps import NANOS
from firebreak.doctor.result import Check, Examined, Fault, Item, Ok, Result
from firebreak.ports.deadline import Deadline

_DAYS = 30
_MOST = 1000
_THREAT = "THREAT"


def _items(examined: Examined) -> Iterator[Item]:
    for location in sorted(examined.deployment.deliveries):
        yield Item(f"the threats in {location}", partial(_look, examined, location))


def _look(examined: Examined, location: str, deadline: Deadline) -> Iterator[Result]:
    wanted = examined.deployment
    since_ns = examined.now_ns - _DAYS * 86_400 * NANOS
    found = examined.cloud.threats(wanted.organization, location, since_ns, deadline)
    seen = Counter(one.category for one in islice(found, _MOST))
    listed = wanted.package.categories if wanted.package else ()
    wide = wanted.package is not None and _THREAT in wanted.package.classes
    for category, count in sorted(seen.items()):
        if category not in listed and not wide:
            yield Fault(
                f"no policy asks for {category!r}, of which {location} holds {count} of the last {_DAYS} days",
                "write a policy for it (docs/policies.md), or name it in extra_categories; then make package and apply",
            )
    yield Ok(f"{sum(seen.values())} threats in {location} were looked at")


check = Check("detectors that no policy asks for", "roles/securitycenter.findingsViewer on the organization", _items)
