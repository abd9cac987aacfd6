"""Reading `firebreak.yaml`: a guard that is misspelt or could never hold does not load."""

from __future__ import annotations

import re
from collections.abc import Iterator

from firebreak.core.diagnostics import FaultLog, Location, quoted
from firebreak.core.glob import MAX_GLOB
from firebreak.core.mode import Mode
from firebreak.core.policy.policy import HOUR, Config, Drill, Limits
from firebreak.core.policy.protected import Pattern, PlacedCeiling, Protected
from firebreak.core.policy.routing import Routing
from firebreak.policy_language.reading.elsewhere import CEILING_KEYS, CONFIG_KEYS
from firebreak.policy_language.reading.nodes import (
    form_of_texts,
    pairs,
    read_count,
    read_items,
    read_keys,
    read_mode,
    read_placed_texts,
    read_seconds,
    read_text,
    read_texts,
    require,
    shown_text,
    wrong,
)
from firebreak.policy_language.reading.operands import IN_DOUBT
from firebreak.policy_language.reading.routing import read_routing
from firebreak.policy_language.reading.rules import IMPOSSIBLE_GUARD, NOTHING_LISTED, WRONG_VALUE
from firebreak.policy_language.reading.yaml_reader import Entries, Node, Scalar

CONFIG_FILE = "firebreak.yaml"
_KEYS = (
    "organization",
    "sources",
    "ceiling",
    "ceilings",
    "protected",
    "limits",
    "stale_after",
    "drill",
    "sets",
    "notify",
)
_PARTS = ("project", "service", "folder", "label")
NUMBER = re.compile(r"[0-9]{1,25}")
_WILD = re.compile(r"[*?]")
PROJECT = re.compile(r"[a-z0-9.:-]+")
SERVICE = re.compile(r"[a-z0-9-]+")
LABEL = re.compile(r"[^\sA-Z*?]+")
SET = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,79}")


def read_config(node: Node, log: FaultLog) -> Config:
    """The config; what cannot be read keeps its default and is logged, so that nothing loads."""
    keys = read_keys(node, CONFIG_FILE, _KEYS, log, CONFIG_KEYS)
    if keys is None:
        return Config()
    require(keys, ("organization",), CONFIG_FILE, node, log)
    organization = _number(keys["organization"], "`organization`", log) if "organization" in keys else None
    ceiling = read_mode(keys["ceiling"], "`ceiling`", log) if "ceiling" in keys else None
    sources = _sources(keys["sources"], log) if "sources" in keys else frozenset[str]()
    stale_after = read_seconds(keys["stale_after"], "`stale_after`", log) if "stale_after" in keys else None
    return Config(
        organization=organization,
        sources=sources,
        ceiling=ceiling or Mode.MONITOR,
        ceilings=_ceilings(keys["ceilings"], log) if "ceilings" in keys else (),
        protected=_protected(keys["protected"], log) if "protected" in keys else (),
        limits=_limits(keys["limits"], log) if "limits" in keys else Limits(),
        stale_after=stale_after or HOUR,
        drill=_drill(keys["drill"], sources, log) if "drill" in keys else None,
        sets=_sets(keys["sets"], log) if "sets" in keys else {},
        routing=read_routing(keys["notify"], log) if "notify" in keys else Routing(),
        places=dict(_places(node)),
    )


def _number(node: Node, what: str, log: FaultLog) -> str | None:
    text = node.value if isinstance(node, Scalar) else None
    if isinstance(text, str) and NUMBER.fullmatch(text):
        return text
    wrong(node, what, 'the digits of its number in quotes, as "123456789012"', log)
    return None


def _sources(node: Node, log: FaultLog) -> frozenset[str]:
    items = read_items(node, "`sources`", log, form_of_texts(node)) or ()
    return frozenset(filter(None, (_number(item, "a source id", log) for item in items)))


def _drill(node: Node, sources: frozenset[str], log: FaultLog) -> Drill | None:
    """The drill's source, which is no other's, and its projects by their names. None where a fault was logged."""
    keys = read_keys(node, "`drill`", ("source", "projects"), log)
    if keys is None:
        return None
    require(keys, ("source", "projects"), "`drill`", node, log)
    source = _number(keys["source"], "`source` of the drill", log) if "source" in keys else None
    if source in sources:
        log.add(
            WRONG_VALUE,
            keys["source"].at,
            f'the drill\'s source "{source}" is listed in `sources` too: it would lead to more than its canary',
        )
    placed = read_placed_texts(keys["projects"], "`projects` of the drill", log) if "projects" in keys else None
    if placed == ():
        log.add(NOTHING_LISTED, keys["projects"].at, "`projects` of the drill lists at least one project")
    for text, at in placed or ():
        if not PROJECT.fullmatch(text):
            log.add(WRONG_VALUE, at.at, f"{quoted(text)} is not one project: the drill's are named one by one")
    projects = frozenset(text for text, _ in placed or ())
    return Drill(source, projects) if source and projects else None


def _sets(node: Node, log: FaultLog) -> dict[str, frozenset[str]]:
    """Named lists of texts. An empty one does not load: `not_in_set` of it would always hold."""
    sets: dict[str, frozenset[str]] = {}
    for key, value in pairs(node, "`sets`", log):
        what = f"the set {quoted(key.text)}"
        if not SET.fullmatch(key.text):
            log.add(
                WRONG_VALUE,
                key.at,
                "the name of a set begins with a letter; letters, digits, hyphens and underscores follow",
            )
        members = read_texts(value, what, log)
        if members == ():
            log.add(NOTHING_LISTED, value.at, f"{what} lists at least one text")
        sets[key.text] = frozenset(members or IN_DOUBT)
    return sets


def _places(node: Node, above: str = "") -> Iterator[tuple[str, Location]]:
    for key, value in node.pairs if isinstance(node, Entries) else ():
        yield f"{above}{key.text}", key.at
        yield from _places(value, f"{above}{key.text}.")


def _limits(node: Node, log: FaultLog) -> Limits:
    names = tuple(Limits.__dataclass_fields__)
    keys = read_keys(node, "`limits`", names, log) or {}
    counts = {name: read_count(value, quoted(name), log) for name, value in keys.items()}
    return Limits(**{name: count for name, count in counts.items() if count is not None})


def _protected(node: Node, log: FaultLog) -> tuple[Protected, ...]:
    items = read_items(node, "`protected`", log) or ()
    return tuple(_entry(item, log) for item in items)


def _ceilings(node: Node, log: FaultLog) -> tuple[PlacedCeiling, ...]:
    items = read_items(node, "`ceilings`", log) or ()
    return tuple(found for item in items if (found := _placed_ceiling(item, log)))


def _placed_ceiling(node: Node, log: FaultLog) -> PlacedCeiling | None:
    what = "an entry of `ceilings`"
    keys = read_keys(node, what, ("project", "folder", "ceiling"), log, CEILING_KEYS)
    if keys is None:
        return None
    require(keys, ("ceiling",), what, node, log)
    if not keys.keys() & {"project", "folder"}:
        log.add(NOTHING_LISTED, node.at, f"{what} names a project or a folder; everywhere is what `ceiling` is for")
    place = Protected(
        project=_pattern(keys["project"], "`project`", PROJECT, log) if "project" in keys else None,
        folder=_number(keys["folder"], "`folder`", log) if "folder" in keys else None,
    )
    mode = read_mode(keys["ceiling"], "`ceiling`", log) if "ceiling" in keys else None
    return PlacedCeiling(place, mode or Mode.MONITOR, node.at)


def _entry(node: Node, log: FaultLog) -> Protected:
    if isinstance(node, Scalar) and isinstance(node.value, str):
        wrong(node, "a protected entry", "a mapping", log, f"write {{project: {shown_text(node)}}}")
        return Protected()
    keys = read_keys(node, "a protected entry", _PARTS, log)
    if keys is None:
        return Protected()
    if isinstance(node, Entries) and not node.pairs:
        log.add(NOTHING_LISTED, node.at, "a protected entry names at least one of project, service, folder and label")
    return Protected(
        project=_pattern(keys["project"], "`project`", PROJECT, log) if "project" in keys else None,
        service=_pattern(keys["service"], "`service`", SERVICE, log) if "service" in keys else None,
        folder=_number(keys["folder"], "`folder`", log) if "folder" in keys else None,
        labels=_labels(keys["label"], log) if "label" in keys else (),
    )


def _labels(node: Node, log: FaultLog) -> tuple[tuple[str, Pattern], ...]:
    if isinstance(node, Entries) and not node.pairs:
        log.add(NOTHING_LISTED, node.at, "`label` names at least one label, as {tier: critical}")
    labels: list[tuple[str, Pattern]] = []
    for key, value in pairs(node, "`label`", log):
        if not LABEL.fullmatch(key.text):
            log.add(IMPOSSIBLE_GUARD, key.at, f"no label is called {quoted(key.text)}")
        if pattern := _pattern(value, f"label {quoted(key.text)}", LABEL, log):
            labels.append((key.text, pattern))
    return tuple(labels)


def _pattern(node: Node, what: str, allowed: re.Pattern[str], log: FaultLog) -> Pattern | None:
    """A word compared as it is, or `{glob: …}`; one that Google Cloud allows nowhere would protect nothing."""
    if isinstance(node, Entries):
        keys = read_keys(node, what, ("glob",), log) or {}
        require(keys, ("glob",), what, node, log)
        return _checked(keys["glob"], f"`glob` of {what}", allowed, log, Pattern("", glob=True)) if keys else None
    return _checked(node, what, allowed, log, Pattern(""))


def _checked(node: Node, what: str, allowed: re.Pattern[str], log: FaultLog, like: Pattern) -> Pattern | None:
    text = read_text(node, what, log)
    if text is None:
        return None
    fixed = _WILD.sub("", text) if like.glob else text
    if not like.glob and _WILD.search(text):
        log.add(IMPOSSIBLE_GUARD, node.at, f'{what} is compared as it stands: write {{glob: "…"}} for a pattern')
    elif len(text) > MAX_GLOB or (fixed and not allowed.fullmatch(fixed)):
        log.add(IMPOSSIBLE_GUARD, node.at, f"{what} could never be {quoted(text)} in Google Cloud")
    return Pattern(text, like.glob)
