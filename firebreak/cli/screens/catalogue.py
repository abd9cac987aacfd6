"""What policies may say: facts with the operators that fit them, actions with what they touch."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin

from firebreak.cli.screens.console import Screen
from firebreak.core.actions.action import Responder
from firebreak.core.facts import Catalogue, Fact, FactType, source_of
from firebreak.core.policy.clause import Operator
from firebreak.policy_language.reading.conditions import OPERATORS, operators_of
from firebreak.policy_language.reading.steps import Parameter, parameters_of
from firebreak.policy_language.schema.operator_docs import MEANINGS, TYPES

# Clauses that say more than what the type alone suggests.
TELLING: Mapping[str, str] = MappingProxyType(
    {
        "finding.category": '"Execution: Added Malicious Binary Executed"',
        "finding.class": "THREAT",
        "finding.hour": "{at_least: 20}",
        "finding.weekday": "{in: [saturday, sunday]}",
        "finding.process_paths": '{glob: "/tmp/*"}',
        "finding.paths": '{glob: "*.so"}',
        "finding.command_lines": '{glob: "*--donate-level*"}',
        "finding.container_names": "{contains: checkout-1}",
        "finding.images": '{glob: "europe-docker.pkg.dev/shop-prod/*"}',
        "finding.image_registries": "{contains: docker.io}",
        "finding.image_repositories": '{glob: "shop-prod/*"}',
        "finding.image_tags": "{contains: latest}",
        "attack.techniques": '{glob: "T1059*"}',
        "attack.tactics": "{contains: TA0011}",
        "recurrence.closed_as": "{contains: true_positive}",
        "related.categories": '{glob: "Execution: *"}',
        "virustotal.label": '{glob: "trojan.*"}',
        "virustotal.families": "{contains_any: [xmrig, kinsing]}",
        "workload.project": "{not_in_set: payment_projects}",
        "workload.location": '{glob: "europe-*"}',
        "workload.environment": "{in: [prod, production]}",
        "workload.deployed_by": '{glob: "*@shop-build.iam.gserviceaccount.com"}',
        "workload.ingress": "{in: [all, internal-and-cloud-load-balancing]}",
    }
)
_KINDS = {bool: "true or false", int: "a whole number", str: "a text", tuple[str, ...]: "a list of texts"}


def show_facts(screen: Screen, catalogue: Catalogue) -> None:
    """Source by source, each fact with a clause to paste; then which operators fit which type, and what they mean."""
    for source, facts in itertools.groupby(catalogue.items(), key=lambda one: source_of(one[0])):
        screen.heading(source)
        for name, fact in facts:
            screen.line(f"{name}  ({kind_of(fact)})", "strong", indent=2, hang=2)
            screen.line(fact.meaning + (f" {values_of(fact)}" if fact.choices else ""), indent=4, hang=2)
            screen.verbatim(example_of(name, fact), "command", indent=4)
    screen.heading("Operators")
    for kind, operators in OPERATORS.items():
        ordered = "; of ordered values also at_least, at_most" if kind is FactType.TEXT else ""
        fitting = ", ".join(one.value for one in operators)
        screen.line(f"{TYPES[kind]:<14} {fitting}{ordered}", "dim", indent=2, hang=15)
    screen.line()
    for operator, meaning in MEANINGS.items():
        screen.line(f"{operator.value:<13} {meaning}", indent=2, hang=14)


def kind_of(fact: Fact) -> str:
    """The type in words."""
    return f"{TYPES[fact.type]}, each key=value" if fact.pairs else TYPES[fact.type]


def values_of(fact: Fact) -> str:
    """What it may be, in words."""
    return f"{'From low to high' if fact.ordered else 'One of'}: {', '.join(fact.choices)}."


def example_of(name: str, fact: Fact) -> str:
    """A clause about the fact, as a policy may hold it."""
    if name in TELLING:
        return f"{name}: {TELLING[name]}"
    if fact.type is FactType.TEXT and fact.choices:
        return f"{name}: {{at_least: {fact.choices[-2]}}}" if fact.ordered else f"{name}: {fact.choices[0]}"
    return (
        f"{name}: "
        + {
            FactType.TEXT: '{glob: "core-*"}',
            FactType.NUMBER: "{at_least: 10}",
            FactType.BOOL: "true",
            FactType.TEXTS: "{contains: {tier: critical}}" if fact.pairs else "{exists: true}",
            FactType.TIME: "{newer_than: 24h}",
        }[fact.type]
    )


def facts_json(catalogue: Catalogue) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {
            "fact": name,
            "source": source_of(name),
            "type": kind_of(fact),
            "meaning": fact.meaning,
            "choices": list(fact.choices),
            "ordered": fact.ordered,
            "operators": [one.value for one in operators_of(fact) if one is not Operator.EQUALS],
            "example": example_of(name, fact),
        }
        for name, fact in catalogue.items()
    ]


def show_actions(screen: Screen, actions: Mapping[str, Responder]) -> None:
    """Each with what it does, what it touches and needs, its parameters, and a line to paste."""
    for name, action in actions.items():
        screen.heading(name)
        screen.line(action.summary, indent=2, hang=2)
        for label, text in rows_of(action):
            screen.line(f"{label:<11} {text}", "dim", indent=2, hang=12)
        screen.verbatim(f"- {action.example}", "command", indent=2)


def rows_of(action: Responder) -> Iterator[tuple[str, str]]:
    """What an action declares of itself, in words."""
    yield "acts on", _listed(kind.replace("_", " ") for kind in action.kinds)
    yield "settings of", _listed(action.surfaces)
    yield "undone", "key by key" if action.reversible else "not at all: a person is asked"
    if action.reach == "shared":
        yield "reaches", "other workloads too: a person is asked"
    if needed := action.needs | action.needs_if_inferred:
        yield "needs", _listed(needed)
    for parameter in parameters_of(action):
        yield "parameter", parameter_in_words(parameter, action)
    yield "D3FEND", action.countermeasure
    yield "permissions", _listed(action.permissions)


def parameter_in_words(parameter: Parameter, action: Responder) -> str:
    """Its name, what it takes, and what it is where it is left out."""
    takes = " or ".join(get_args(parameter.kind)) if get_origin(parameter.kind) is Literal else _KINDS[parameter.kind]
    if parameter.needed:
        return f"{parameter.name}: {takes}, needed"
    default = next(one.default for one in dataclasses.fields(action.params) if one.name == parameter.name)
    return f"{parameter.name}: {takes}; {_plain(default)} where it is left out"


def _plain(default: object) -> str:
    if isinstance(default, bool):
        return "true" if default else "false"
    return "none" if default in ("", ()) else str(default)


def _listed(words: Any) -> str:  # noqa: ANN401 - any collection of words
    return ", ".join(sorted(words))


def actions_json(actions: Mapping[str, Responder]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {
            "action": name,
            "summary": action.summary,
            "kinds": sorted(action.kinds),
            "surfaces": sorted(action.surfaces),
            "reversible": action.reversible,
            "reach": action.reach,
            "needs": sorted(action.needs),
            "needs_if_inferred": sorted(action.needs_if_inferred),
            "permissions": sorted(action.permissions),
            "countermeasure": action.countermeasure,
            "parameters": [
                {"name": one.name, "takes": parameter_in_words(one, action), "needed": one.needed}
                for one in parameters_of(action)
            ],
            "example": action.example,
        }
        for name, action in actions.items()
    ]
