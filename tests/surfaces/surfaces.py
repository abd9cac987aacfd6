"""Where an incident is told to people and programs, each as it is written; and what is so in the world meanwhile."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from firebreak.cli.screens.incident_list import Count, show_list
from firebreak.cli.screens.incident_show import show
from firebreak.core.channels import google_chat, slack
from firebreak.core.cloud_run.target import Target, parse_resource
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.record import record
from firebreak.core.incidents.release_words import setting_word
from firebreak.core.incidents.setting_states import SIGNS
from firebreak.core.messages.composing import compose
from firebreak.core.messages.plain_text import plain_text
from firebreak.ports.deadline import Deadline
from sandbox.cloud_run.reachability import reachable_revisions
from tests.cli.commands import told
from tests.response.harness import BAD, Line
from tests.response.releases import HERE, OTHER_BAD
from tests.surfaces.scenes import Scene

SURFACES = ("show", "list", "text", "slack", "google chat", "topic")
Settings = Mapping[tuple[str, str], str]
"""Region and key to the value, as a sentence has it; what is not set is not there."""
_LINE = re.compile(
    rf"^ *[{''.join(SIGNS.values())}] (?P<word>[a-z ]+): (?:(?P<place>[a-z0-9-]+): )?"
    r"(?P<key>[a-z_]+\.[^ ]+): (?P<how>.+)$",
    re.MULTILINE,
)
_IS = re.compile(r"restored to ([^,]+)|still ([^:]+)|left as it is: (.+)|^was ([^;]+);|→ ([^,]+), by others")


@dataclass(frozen=True)
class Told:
    """One line about a setting: region, key, the word, and the value that is so now if the line is true."""

    place: str
    key: str
    word: str
    value: str


@dataclass(frozen=True)
class Seen:
    """What a run came to: the incident, what is so in the world before and after it, and what each surface says."""

    incident: Incident
    before: Settings
    settings: Settings
    open_suspects: frozenset[str]
    held: bool
    surfaces: Mapping[str, str]


def play(on: Line, scene: Scene) -> Seen:
    """Run the scene, then look at the world and at every surface."""
    before = _settings(on)
    incident = on.read(scene.run(on))
    whole, halted, now_ns = record(incident), on.app.ledger.halt_reason(), time.time_ns()
    topic = [one for one in on.announced if one["id"] == incident.id][-1]
    lines = [f"{SIGNS[one['became']]} {one['became']}: {one['says']}" for one in topic["settings"]]
    message = compose(incident, "1")
    surfaces = {
        "show": told(show, whole, now_ns, halted),
        "list": told(show_list, [whole], now_ns, halted, Count(1)),
        "text": plain_text(message),
        "slack": "\n".join(_texts(slack.blocks(message))),
        "google chat": html.unescape("\n".join(_texts(google_chat.body(message)))).replace("<br>", "\n"),
        "topic": "\n".join([*_head(topic), *lines, *topic["undo"]]),
    }
    held = any(on.app.ledger.standing(target, "")[0].held_by(incident.id) for target in incident.targets)
    return Seen(incident, before, _settings(on), _open_suspects(on), held, surfaces)


def _head(topic: Mapping[str, Any]) -> Iterator[str]:
    """What a reader of the topic looks at first, for the eight questions."""
    finding = topic["finding"]
    yield from (finding["category"], finding["target"]["resource"], *finding["contacts"])
    yield from (topic["now"], topic["asked"], topic["until"], *(step["command"] for step in topic["next"]))


def lines_of(text: str) -> Iterator[Told]:
    """What a surface says of each setting."""
    for found in _LINE.finditer(text):
        said, way = _IS.search(found["how"]), found["how"].partition(" → ")
        ends = next(filter(None, said.groups())) if said else way[0] if found["word"] == "planned" else way[2]
        yield Told(found["place"] or HERE, found["key"], found["word"], ends)


def _settings(on: Line) -> Settings:
    targets = [
        parse_resource(f"//run.googleapis.com/{name}", "shop-prod", "424242424242") for name in on.world.services
    ]
    return {
        (target.location, key): setting_word(value)
        for target in targets
        if isinstance(target, Target)
        for key, value in on.app.read(target, Deadline.after(5)).state.items()
    }


def _texts(value: object) -> Iterator[str]:
    """Every text of a chat's request, in its order."""
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(one)


def _open_suspects(on: Line) -> frozenset[str]:
    reached = {name for service in on.world.services for name in reachable_revisions(on.world, service)}
    return frozenset(reached & {BAD, OTHER_BAD})
