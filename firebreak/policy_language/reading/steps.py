"""Reading `then`: actions that exist, with the parameters they declare."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints

from firebreak.core.actions.action import Responder
from firebreak.core.code_location import kind_and_place
from firebreak.core.diagnostics import FaultLog, nearest_word, quoted
from firebreak.core.policy.policy import Step
from firebreak.core.policy.vocabulary import PolicyNamespace
from firebreak.policy_language.reading.elsewhere import ACTIONS, STEP_KEYS
from firebreak.policy_language.reading.nodes import (
    read_bool,
    read_count,
    read_items,
    read_keys,
    read_text,
    read_texts,
    read_word,
    require,
    shown_text,
    wrong,
)
from firebreak.policy_language.reading.rules import (
    BROKEN_PLUGIN,
    MISSING_KEY,
    NOTHING_LISTED,
    SAID_TWICE,
    UNKNOWN_ACTION,
    WRONG_VALUE,
)
from firebreak.policy_language.reading.yaml_reader import Entries, Node

_MISSING = (dataclasses.MISSING, dataclasses.MISSING)
_OWN_KEYS = ("action", "otherwise", "accept_irreversible")
_READERS = {bool: read_bool, int: read_count, str: read_text, tuple[str, ...]: read_texts}


def read_steps(node: Node, what: str, words: PolicyNamespace, log: FaultLog) -> tuple[Step, ...]:
    """A list of steps, at least one, no action twice; a step that cannot be read is left out and logged."""
    items = read_items(node, what, log, "[{{action: {}}}]")
    if items == ():
        log.add(NOTHING_LISTED, node.at, f"{what} lists at least one step")
    steps: list[Step] = []
    for item in items or ():
        step = _step(item, words, log)
        if step and step.action in [other.action for other in steps]:
            log.add(SAID_TWICE, item.at, f"the action {quoted(step.action)} stands twice in {what}")
        elif step:
            steps.append(step)
    return tuple(steps)


def _step(node: Node, words: PolicyNamespace, log: FaultLog) -> Step | None:
    if isinstance(node, Entries) and node.pairs and (named := node.pairs[0][0]).text in words.actions:
        log.add(MISSING_KEY, node.at, f"a step needs the key `action`: write {{action: {named.text}}}")
        return None
    own = read_keys(node, "a step", _OWN_KEYS, FaultLog(log.file, ""), STEP_KEYS)
    if own is None:
        wrong(node, "a step", "a mapping", log, f"write {{action: {shown_text(node)}}}")
        return None
    otherwise = read_steps(own["otherwise"], "`otherwise`", words, log) if "otherwise" in own else ()
    name = _action_name(node, own, words, log)
    if name is None:
        return None
    action, what = words.actions[name], f"a step of {quoted(name)}"
    names = (one.name for one in parameters_of(action))
    keys = read_keys(node, what, (*_OWN_KEYS, *names), log, STEP_KEYS) or {}
    accepted = "accept_irreversible" in keys and read_bool(keys["accept_irreversible"], "`accept_irreversible`", log)
    return Step(name, _params(action, keys, what, node, log), otherwise, bool(accepted), node.at)


def _action_name(node: Node, own: Mapping[str, Node], words: PolicyNamespace, log: FaultLog) -> str | None:
    """The name of a step's action; None, logged, where there is no such action that loads."""
    require(own, ("action",), "a step", node, log)
    name = read_text(own["action"], "`action`", log) if "action" in own else None
    if name is None or name in words.actions:
        return name
    if why := words.broken.get(f"responders.{name}"):
        log.add(BROKEN_PLUGIN, own["action"].at, f"the action {quoted(name)} does not load: {why}")
    else:
        meant = ACTIONS.get(name.lower().replace("-", "_").replace(" ", "_"))
        nearest = meant if meant in words.actions else nearest_word(name, words.actions)
        there = "" if nearest else f": there are {', '.join(words.actions)}"
        log.add(UNKNOWN_ACTION, own["action"].at, f"there is no action {quoted(name)}{there}", nearest)
    return None


@dataclasses.dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an action; `needed` where it has no default."""

    name: str
    kind: Any
    needed: bool


def parameters_of(action: Responder) -> tuple[Parameter, ...]:
    """The parameters that an action takes, as its `params` declares them."""
    types = get_type_hints(action.params)
    fields = dataclasses.fields(action.params)
    return tuple(Parameter(one.name, types[one.name], (one.default, one.default_factory) == _MISSING) for one in fields)


def _params(action: Responder, keys: Mapping[str, Node], what: str, node: Node, log: FaultLog) -> object:
    """An instance of the action's parameters, or None where one is missing or wrong."""
    parameters = parameters_of(action)
    needed = [one.name for one in parameters if one.needed]
    require(keys, needed, what, node, log)
    read = {one.name: _param(one.kind, keys[one.name], quoted(one.name), log) for one in parameters if one.name in keys}
    if None in read.values() or any(name not in read for name in needed):
        return None
    try:
        return action.params(**read)
    except ValueError as error:
        log.add(WRONG_VALUE, node.at, f"{what}: {error}")
    except Exception as fault:  # noqa: BLE001 - one action's bug is a fault of the policy that it keeps from loading
        told = f"{what} cannot take its parameters, a fault of its own code ({kind_and_place(fault)})"
        log.add(BROKEN_PLUGIN, node.at, told)
    return None


def _param(kind: Any, node: Node, what: str, log: FaultLog) -> object:  # noqa: ANN401 - a type, as it is annotated
    if get_origin(kind) is Literal:
        return read_word(node, what, {word: word for word in get_args(kind)}, log)
    return _READERS[kind](node, what, log)
