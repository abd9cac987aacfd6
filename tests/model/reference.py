"""What is so, told from outside: who was last at a setting, what SCC said, who is suspect, what leads to whom.

Slow and plain on purpose, and written apart from the product, which is measured by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from firebreak.core.cloud_run.setting_names import (
    ACCOUNT,
    DEFAULT_URI_DISABLED,
    DISABLED,
    INGRESS,
    POOL_INSTANCES,
    POOL_SPLIT,
    SCALING,
    SPLIT,
    TAG,
)
from firebreak.core.cloud_run.state import Setting
from firebreak.core.cloud_run.target import Target
from firebreak.core.incidents.incident import Incident
from tests.model.clock import MINUTE, SECOND
from tests.model.cloud import Resource, place_of
from tests.model.history import Did, History, Wrote
from tests.model.scc import ALLOWED, ORGANIZATION, Event, Key, Scc

FRESH_NS = 3 * SECOND
"""How old SCC's word may be at a write: two seconds, and one for the calls themselves."""
ENDED = frozenset({"monitored", "declined", "expired", "rejected", "released", "closed"})
TRAFFIC = (SPLIT, POOL_SPLIT)


def key_of(incident: Incident) -> Key:
    """The incident's finding."""
    return incident.finding.name.source, incident.finding.name.finding


def suspects_of(incident: Incident) -> frozenset[str]:
    """On its own workload: those of the last decision, and those that its events gave, which may be denied by now."""
    target, counts = incident.finding.target, any(one.status == "counts" for one in incident.events)
    decided = frozenset(incident.decision.suspects) if incident.decision and counts else frozenset[str]()
    return decided | (incident.suspects_on(target) if isinstance(target, Target) else frozenset())


def place_of_incident(incident: Incident) -> str:
    """The finding's own workload; empty where it names none."""
    target = incident.finding.target
    return place_of(target) if isinstance(target, Target) else ""


def planned_places(incident: Incident) -> frozenset[str]:
    """Every place of the incident's plan, and the finding's own."""
    changes = (*incident.plan.changes, *incident.plan.fallback) if incident.plan else ()
    return frozenset({place_of(one.target) for one in changes} | {place_of_incident(incident)}) - {""}


def touches(did: Did) -> frozenset[str]:
    """The settings that it changed."""
    before, after = (one.settings if one else {} for one in (did.before, did.after))
    return frozenset(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))


def uid_at(history: History, place: str, seq: int) -> str:
    """The uid of what was at the place then; empty where there was nothing."""
    found = history.first.get(place)
    for did in history.did:
        if did.place == place and did.seq < seq:
            found = did.after
    return found.uid if found else ""


def theirs(history: History, place: str, seq: int) -> Mapping[str, Setting | None]:
    """Each setting as people set it last, on the resource that was at the place then."""
    found = history.first.get(place)
    settings: dict[str, Setting | None] = dict(found.settings) if found else {}
    for did in history.did:
        if did.place != place or did.seq >= seq:
            continue
        if did.what == "recreate" or did.after is None:
            settings = dict(did.after.settings) if did.after else {}
        else:
            settings |= {key: did.after.settings.get(key) for key in touches(did)}
    return settings


def ours(history: History, place: str, seq: int) -> Mapping[str, Setting | None]:
    """Each setting as Firebreak wrote it last, on the resource that was at the place then; a person's is left out."""
    uid = uid_at(history, place, seq)
    written: dict[str, Setting | None] = {}
    both: list[Wrote | Did] = [*history.writes, *history.did]
    for one in sorted(both, key=lambda one: one.seq):
        if one.place != place or one.seq >= seq:
            continue
        if isinstance(one, Wrote):
            written |= {key: after for key, (_, after) in one.changed.items()} if one.after.uid == uid else {}
        else:
            written = {key: value for key, value in written.items() if key not in touches(one)}
    return written


def is_found_late(event: Event, since_ns: int) -> bool:
    """Whether SCC came to hold it long after it happened.

    Until SCC is asked by its own order of updates, what is lost is found by the time of its event.
    """
    return since_ns - event.at_ns > 20 * MINUTE


def said_lately(scc: Scc, key: Key, at_ns: int) -> Iterator[Event]:
    """Every state in which SCC held the finding within the last moments."""
    known = [(when, event) for when, event in scc.history if event.key == key and when <= at_ns]
    for number, (_, event) in enumerate(known):
        replaced_ns = known[number + 1][0] if number + 1 < len(known) else at_ns
        if replaced_ns >= at_ns - FRESH_NS:
            yield event


def counted(scc: Scc, key: Key, at_ns: int) -> tuple[Event, ...]:
    """The events of the finding that SCC has held by then, wanted and ours, whatever it holds now."""
    events = (event for when, event in scc.history if event.key == key and when <= at_ns)
    return tuple(one for one in events if one.wanted and one.organization == ORGANIZATION)


def is_same_service(one: str, other: str) -> bool:
    """Whether two places are one workload, or the same service in two regions."""
    mine, others = one.split("/"), other.split("/")
    return (mine[0], mine[2:]) == (others[0], others[2:])


def carriers(resource: Resource, digests: frozenset[str]) -> frozenset[str]:
    """The revisions with one of these images."""
    return frozenset(one.name for one in resource.revisions if one.digests & digests)


def digests_of(resource: Resource, names: frozenset[str]) -> frozenset[str]:
    """The images of these revisions."""
    return frozenset[str]().union(*(one.digests for one in resource.revisions if one.name in names))


def may_be_suspect(scc: Scc, resource: Resource, resources: Mapping[str, Resource], at_ns: int) -> frozenset[str]:
    """Every revision that any rule could call suspect, by any event of an allowed source that SCC has held by then."""
    found: set[str] = set()
    for when, event in scc.history:
        if (
            when > at_ns
            or not event.wanted
            or event.source != ALLOWED
            or not is_same_service(event.place, resource.place)
        ):
            continue
        own = resources.get(event.place)
        named = frozenset({event.names} if event.names else ())
        images = event.digests | (digests_of(own, named) if own else frozenset())
        found |= carriers(resource, images)
        if event.place == resource.place:
            found |= named
        if not named and not event.digests:
            found |= {one.name for one in resource.revisions if one.created_ns < event.at_ns}
            images = digests_of(own, frozenset(one.name for one in own.revisions)) if own else frozenset()
            found |= carriers(resource, images)
    return frozenset(found)


def led_to(resource: Resource) -> frozenset[str]:
    """The revisions that percent or a tag leads to, by what serves; of a job, what runs."""
    return frozenset({name for name, percent in resource.effective.items() if percent} | set(resource.tags.values()))


def wished_for(resource: Resource) -> frozenset[str]:
    """The same by what is wished for."""
    percents, tags = resource.wished
    return frozenset({*percents, *tags.values()})


def shut(resource: Resource) -> bool:
    """Whether no request comes in at all, or nothing runs."""
    settings = resource.settings
    no_door = settings.get(INGRESS) in ("none", "internal") and settings.get(DEFAULT_URI_DISABLED) is True
    stopped = settings.get(SCALING) == "manual 0" or settings.get(POOL_INSTANCES) == 0
    disabled = any(key.startswith(ACCOUNT) and value == DISABLED for key, value in settings.items())
    return no_door or stopped or disabled


def is_about_traffic(key: str) -> bool:
    """Whether Cloud Run reports of the setting if it is in effect."""
    return key in TRAFFIC or key.startswith(TAG)
