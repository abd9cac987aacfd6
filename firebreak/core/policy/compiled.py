"""Policies as one JSON text: written when the function is packaged, loaded by it without reading any YAML.

The YAML stays what counts. The text is taken only where it was made by this version of Firebreak from the very files
that lie beside it, and where what comes of it has the digest that the set had: damage, other facts, other actions and
other parameters of theirs change that. Whatever is wrong with it, nothing of it is taken, and the YAML is read.

What only people and lint need stays behind: examples, and where each key stands in its file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any, NamedTuple

from firebreak import VERSION
from firebreak.core.actions.action import Actions
from firebreak.core.code_location import kind_and_place
from firebreak.core.diagnostics import Location
from firebreak.core.facts import Catalogue
from firebreak.core.mode import Mode
from firebreak.core.policy.clause import Clause, NamedSet, Operand, Operator, Span
from firebreak.core.policy.condition import AllOf, AnyOf, Condition, NoneOf
from firebreak.core.policy.digest import policy_set
from firebreak.core.policy.policy import Config, Drill, Files, Limits, Policy, PolicySet, Step, is_policy_file
from firebreak.core.policy.protected import Pattern, PlacedCeiling, Protected
from firebreak.core.policy.routing import read_back

_GROUPS: Mapping[str, type[AllOf | AnyOf | NoneOf]] = {"all_of": AllOf, "any_of": AnyOf, "none_of": NoneOf}
_NAMES = {kind: name for name, kind in _GROUPS.items()}


class NotCompiledError(Exception):
    """The text is no policy set of this version and these files, with why; the YAML is to be read instead."""


class _Words(NamedTuple):
    """What a set is read with: the facts and actions that there are, and the files' whole names by their base names."""

    catalogue: Catalogue
    actions: Actions
    names: Mapping[str, str]


def sources_digest(files: Files) -> str:
    """SHA-256, as hex digits, of the policy files: the base name and the whole text of each, whatever the folder."""
    listed = sorted((_base(name), text) for name, text in files.items() if is_policy_file(name))
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()


def compiled(policies: PolicySet, files: Files) -> str:
    """The JSON text of the policy set that these files are; the same for the same files in any folder."""
    body = {
        "version": VERSION,
        "sources": sources_digest(files),
        "digest": policies.digest,
        "routing_digest": _routing_digest(policies.config),
        "config": _config(policies.config),
        "policies": [_policy(one) for one in policies.policies],
    }
    return json.dumps(body, indent=1) + "\n"


def load_compiled(text: str, files: Files, catalogue: Catalogue, actions: Actions) -> PolicySet:
    """The policy set of the text, as these files would be read; raises NotCompiledError where it is another."""
    try:
        return _loaded(text, files, _Words(catalogue, actions, {_base(name): name for name in files}))
    except NotCompiledError:
        raise
    except Exception as fault:  # noqa: BLE001 - damage may break whatever reads it, the parameters of an action too
        message = f"it is damaged, or does not fit this version ({kind_and_place(fault)})"
        raise NotCompiledError(message) from None


def _loaded(text: str, files: Files, words: _Words) -> PolicySet:
    body = json.loads(text)
    if body["version"] != VERSION:
        message = f"another version of Firebreak made it, and this is {VERSION}"
        raise NotCompiledError(message)
    if body["sources"] != sources_digest(files):
        message = "it was made of other files than lie beside it"
        raise NotCompiledError(message)
    loaded = policy_set(tuple(_read_policy(one, words) for one in body["policies"]), _read_config(body["config"]))
    if (loaded.digest, _routing_digest(loaded.config)) != (body["digest"], body["routing_digest"]):
        message = "it is damaged, or facts or actions have changed since it was made"
        raise NotCompiledError(message)
    return loaded


def _routing_digest(config: Config) -> str:
    """SHA-256 of who is told, which decides nothing and so is not in the set's own digest."""
    return hashlib.sha256(json.dumps(asdict(config.routing), sort_keys=True).encode()).hexdigest()


def _base(name: str) -> str:
    return name.rpartition("/")[2]


def _policy(policy: Policy) -> dict[str, Any]:
    return {
        "id": policy.id,
        "description": policy.description,
        "mode": policy.mode.name,
        "when": _condition(policy.when),
        "then": [_step(one) for one in policy.then],
        "at": _place(policy.at),
        "review_after": policy.review_after,
        "release_after": policy.release_after,
        "approve_within": policy.approve_within,
        "on_expiry": policy.on_expiry,
        "notify": policy.notify,
        "shadow": policy.shadow,
    }


def _read_policy(body: Mapping[str, Any], words: _Words) -> Policy:
    return Policy(
        id=body["id"],
        description=body["description"],
        mode=Mode[body["mode"]],
        when=_read_condition(body["when"], words),
        then=tuple(_read_step(one, words) for one in body["then"]),
        at=_read_place(body["at"], words),
        review_after=body["review_after"],
        release_after=body["release_after"],
        approve_within=body["approve_within"],
        on_expiry=body["on_expiry"],
        notify=tuple(body["notify"]),
        shadow=body["shadow"],
    )


def _step(step: Step) -> dict[str, Any]:
    return {
        "action": step.action,
        "params": asdict(step.params),  # type: ignore[call-overload]  # an action's own dataclass
        "otherwise": [_step(one) for one in step.otherwise],
        "accept_irreversible": step.accept_irreversible,
        "at": _place(step.at),
    }


def _read_step(body: Mapping[str, Any], words: _Words) -> Step:
    params = {name: tuple(value) if isinstance(value, list) else value for name, value in body["params"].items()}
    return Step(
        body["action"],
        words.actions[body["action"]].params(**params),
        tuple(_read_step(one, words) for one in body["otherwise"]),
        body["accept_irreversible"],
        _read_place(body["at"], words),
    )


def _condition(condition: Condition) -> dict[str, Any]:
    if not isinstance(condition, Clause):
        return {_NAMES[type(condition)]: [_condition(one) for one in condition.parts]}
    return {
        "fact": condition.fact,
        "operator": str(condition.operator),
        "operand": _operand(condition.operand),
        "at": _place(condition.at),
    }


def _read_condition(body: Mapping[str, Any], words: _Words) -> Condition:
    for name, kind in _GROUPS.items():
        if name in body:
            return kind(tuple(_read_condition(one, words) for one in body[name]))
    fact = words.catalogue[body["fact"]]
    return Clause(
        body["fact"],
        Operator(body["operator"]),
        _read_operand(body["operand"]),
        fact.type,
        fact.ranks,
        _read_place(body["at"], words),
    )


def _operand(operand: Operand) -> Any:  # noqa: ANN401 - JSON
    if isinstance(operand, Span):
        return {"seconds": operand.seconds, "written": operand.written}
    if isinstance(operand, NamedSet):
        return {"members": sorted(operand.members), "called": operand.called}
    return list(operand) if isinstance(operand, tuple) else operand


def _read_operand(body: Any) -> Operand:  # noqa: ANN401 - JSON
    if isinstance(body, Mapping):
        if "members" in body:
            return NamedSet(frozenset(body["members"]), body["called"])
        return Span(**body)
    return tuple(body) if isinstance(body, list) else body


def _config(config: Config) -> dict[str, Any]:
    return {
        "organization": config.organization,
        "sources": sorted(config.sources),
        "ceiling": config.ceiling.name,
        "ceilings": [{"place": asdict(one.place), "mode": one.mode.name} for one in config.ceilings],
        "protected": [asdict(one) for one in config.protected],
        "limits": asdict(config.limits),
        "stale_after": config.stale_after,
        "drill": {"source": config.drill.source, "projects": sorted(config.drill.projects)} if config.drill else None,
        "sets": {name: sorted(members) for name, members in config.sets.items()},
        "routing": asdict(config.routing),
    }


def _read_config(body: Mapping[str, Any]) -> Config:
    return Config(
        organization=body["organization"],
        sources=frozenset(body["sources"]),
        ceiling=Mode[body["ceiling"]],
        ceilings=tuple(PlacedCeiling(_read_protected(one["place"]), Mode[one["mode"]]) for one in body["ceilings"]),
        protected=tuple(_read_protected(one) for one in body["protected"]),
        limits=Limits(**body["limits"]),
        stale_after=body["stale_after"],
        drill=Drill(drill["source"], frozenset(drill["projects"])) if (drill := body["drill"]) else None,
        sets=MappingProxyType({name: frozenset(members) for name, members in body["sets"].items()}),
        routing=read_back(body["routing"]),
    )


def _read_protected(body: Mapping[str, Any]) -> Protected:
    patterns = {name: Pattern(**body[name]) if body[name] else None for name in ("project", "service")}
    labels = tuple((name, Pattern(**pattern)) for name, pattern in body["labels"])
    return Protected(patterns["project"], patterns["service"], body["folder"], labels)


def _place(at: Location) -> list[str | int]:
    return [_base(at.file), at.line, at.column]


def _read_place(body: Any, words: _Words) -> Location:  # noqa: ANN401 - JSON
    file, line, column = body
    return Location(words.names[file], int(line), int(column))
