"""The delivery of findings: a configuration for each location, its topic and its filter."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from firebreak.doctor.deployment import Deployment
from firebreak.doctor.result import APPLY, Check, Examined, Fault, Item, Ok, Result
from firebreak.ports.deadline import Deadline
from firebreak.ports.inspection import Inspection


def _items(examined: Examined) -> Iterator[Item]:
    for location, name in sorted(examined.deployment.deliveries.items()):
        look = partial(_look, examined.cloud, examined.deployment, location, name)
        yield Item(f"the delivery of findings in {location}", look)


def _look(cloud: Inspection, wanted: Deployment, location: str, name: str, deadline: Deadline) -> Iterator[Result]:
    found = cloud.get(f"//securitycenter.googleapis.com/{name}", deadline)
    filter_, topic = str(found.get("streamingConfig", {}).get("filter", "")), found.get("pubsubTopic")
    mend = APPLY if location == "global" else "run the line of the output regional_deliveries, with update"
    if topic != wanted.topics.get("findings"):
        yield Fault(f"findings in {location} go to {topic or 'no topic'}", mend)
    categories = wanted.package.categories if wanted.package else ()
    left = [one for one in categories if f'"{_quoted(one)}"' not in filter_]
    if left:
        yield Fault(f"the filter in {location} leaves out what a policy asks for: {', '.join(left)}", mend)
    elif filter_.split() != wanted.filter.split():
        yield Fault(f"the filter in {location} is not the one that was applied: {filter_}", mend)
    else:
        yield Ok(f"findings in {location}: {len(categories)} categories are delivered")


def _quoted(category: str) -> str:
    return category.replace("\\", "\\\\").replace('"', '\\"')


check = Check("the delivery of findings", "roles/securitycenter.notificationConfigViewer on the organization", _items)
