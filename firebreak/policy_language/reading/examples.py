"""Reading `examples`: the facts a policy's own test gives, the sources it leaves unknown, and what it expects."""

from __future__ import annotations

import re

from firebreak.core.diagnostics import FaultLog, nearest_word, quoted
from firebreak.core.facts import Catalogue, FactValue, source_of
from firebreak.core.mode import MODES
from firebreak.core.policy.policy import Example, Expected
from firebreak.core.policy.vocabulary import PolicyNamespace
from firebreak.policy_language.reading import elsewhere as known_elsewhere
from firebreak.policy_language.reading.elsewhere import EXAMPLE_KEYS
from firebreak.policy_language.reading.literals import read_value
from firebreak.policy_language.reading.nodes import (
    is_faulty,
    pairs,
    read_items,
    read_keys,
    read_mode,
    read_placed_texts,
    read_text,
    require,
)
from firebreak.policy_language.reading.rules import (
    EXAMPLE_AT_ODDS,
    NOTHING_LISTED,
    UNKNOWN_ACTION,
    UNKNOWN_FACT,
    WRONG_VALUE,
)
from firebreak.policy_language.reading.sample_facts import EXAMPLES_NOW
from firebreak.policy_language.reading.yaml_reader import Node, Scalar

FINDING_PATH = re.compile(r"[^/~\\:\s][^\\:]*")
UNKNOWN = "unknown"
NOTHING = "nothing"


def read_examples(node: Node, policy: str, vocabulary: PolicyNamespace, log: FaultLog) -> tuple[Example, ...]:
    """A list of examples, at least one, of the policy with that id."""
    items = read_items(node, "`examples`", log)
    if items == ():
        log.add(NOTHING_LISTED, node.at, "`examples` lists at least one example")
    return tuple(_example(item, policy, vocabulary, log) for item in items or ())


def _example(node: Node, policy: str, vocabulary: PolicyNamespace, log: FaultLog) -> Example:
    keys = read_keys(node, "an example", ("given", "finding", "expect"), log, EXAMPLE_KEYS)
    if keys is None:
        return Example({}, frozenset(), None, node.at)
    require(keys, ("expect",), "an example", node, log)
    given, unknown = _given(keys["given"], vocabulary.catalogue, log) if "given" in keys else ({}, frozenset[str]())
    expect = _expected(keys["expect"], policy, vocabulary, log) if "expect" in keys else None
    finding = _finding(keys["finding"], log) if "finding" in keys else None
    return Example(given, unknown, expect, node.at, finding)


def _finding(node: Node, log: FaultLog) -> str | None:
    path = read_text(node, "`finding`", log)
    if path is not None and not FINDING_PATH.fullmatch(path):
        log.add(
            WRONG_VALUE,
            node.at,
            "`finding` is the path of a JSON file from this folder, with /, as findings/miner.json",
        )
        return None
    return path


def _given(node: Node, catalogue: Catalogue, log: FaultLog) -> tuple[dict[str, FactValue], frozenset[str]]:
    sources = {source_of(name) for name in catalogue}
    facts: dict[str, FactValue] = {}
    unknown: dict[str, Scalar] = {}
    for key, value in pairs(node, "`given`", log):
        if key.text in catalogue:
            read = read_value(value, quoted(key.text), catalogue[key.text], EXAMPLES_NOW, log)
            facts |= {} if read is None else {key.text: read}
        elif key.text in sources:
            unknown[key.text] = key
            if not is_faulty(value) and not (isinstance(value, Scalar) and value.value == UNKNOWN):
                log.add(WRONG_VALUE, value.at, f"a source as a whole can only be `{UNKNOWN}`: give its facts by name")
        else:
            nearest = known_elsewhere.nearest_fact(key.text, (*catalogue, *sources))
            log.add(UNKNOWN_FACT, key.at, f"there is no fact or source {quoted(key.text)}", nearest)
    for source in sorted({source_of(name) for name in facts} & unknown.keys()):
        log.add(
            EXAMPLE_AT_ODDS, unknown[source].at, f"{quoted(source)} is unknown here, and yet one of its facts is given"
        )
    return facts, frozenset(unknown)


def _expected(node: Node, policy: str, vocabulary: PolicyNamespace, log: FaultLog) -> Expected | None:
    if isinstance(node, Scalar):
        if not node.faulty and node.value != NOTHING:
            word = node.text.lower()
            meant = word if word in MODES else known_elsewhere.MODES.get(word)
            nearest = NOTHING if word in known_elsewhere.NOTHING else f"{{mode: {meant}}}" if meant else None
            log.add(WRONG_VALUE, node.at, f"`expect` is `{NOTHING}`, or a mapping with `mode` and `actions`", nearest)
        return None
    keys = read_keys(node, "`expect`", ("mode", "actions", "policy"), log)
    if keys is None:
        return None
    require(keys, ("mode",), "`expect`", node, log)
    mode = read_mode(keys["mode"], "`mode`", log) if "mode" in keys else None
    actions = _actions(keys["actions"], vocabulary, log) if "actions" in keys else None
    named = read_text(keys["policy"], "`policy`", log) if "policy" in keys else policy
    if named not in (None, policy):
        log.add(EXAMPLE_AT_ODDS, keys["policy"].at, f"an example tests its own policy alone, which is {quoted(policy)}")
    return None if mode is None else Expected(mode, actions)


def _actions(node: Node, vocabulary: PolicyNamespace, log: FaultLog) -> tuple[str, ...] | None:
    names = read_placed_texts(node, "`actions`", log)
    for name, place in names or ():
        if name not in vocabulary.actions:
            log.add(
                UNKNOWN_ACTION, place.at, f"there is no action {quoted(name)}", nearest_word(name, vocabulary.actions)
            )
    return None if names is None else tuple(name for name, _ in names)
