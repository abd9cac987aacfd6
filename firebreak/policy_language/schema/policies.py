"""JSON Schema of policies, made from the same catalogues and types that the loader goes by, for editors."""

from __future__ import annotations

import re
from typing import Any, Literal, get_args, get_origin

from firebreak.core.actions.action import Actions, Responder
from firebreak.core.facts import Catalogue, Fact, FactType, source_of
from firebreak.core.glob import MAX_GLOB
from firebreak.core.mode import MODES
from firebreak.core.policy.clause import Operator
from firebreak.policy_language.reading.conditions import GROUPS, operators_of
from firebreak.policy_language.reading.examples import FINDING_PATH, NOTHING, UNKNOWN
from firebreak.policy_language.reading.nodes import DURATION
from firebreak.policy_language.reading.policies import ID, LABEL, ON_EXPIRY, REQUIRED
from firebreak.policy_language.reading.steps import parameters_of
from firebreak.policy_language.schema.operator_docs import MEANINGS

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_INSTANT = r"^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$"
_AGO = rf"^{DURATION.pattern} ago$"
_TEXT: Schema = {"type": "string", "pattern": r"\S"}


def policy_schema(catalogue: Catalogue, actions: Actions) -> Schema:
    """A file of policies: one, or a list of them."""
    policy = {"$ref": "#/$defs/policy"}
    return {
        "$schema": DIALECT,
        "title": "Firebreak policies",
        "anyOf": [policy, {"type": "array", "minItems": 1, "items": policy}],
        "$defs": {
            "policy": _policy(),
            "condition": _condition(catalogue),
            **{f"fact {name}": _fact(fact) for name, fact in catalogue.items()},
            "steps": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/step"}},
            "step": {"anyOf": [{"$ref": f"#/$defs/action {name}"} for name in actions]},
            **{f"action {name}": _step(name, action) for name, action in actions.items()},
            "example": _example(catalogue, actions),
        },
    }


def described(schema: Schema, description: str) -> Schema:
    """The same with a sentence that editors show."""
    return {"description": description, **schema}


def duration(description: str) -> Schema:
    """As 90s, 30m, 4h or 7d."""
    return described({"type": "string", "pattern": whole(DURATION)}, description)


def whole(pattern: re.Pattern[str]) -> str:
    """A pattern for the whole text."""
    return f"^(?:{pattern.pattern})$"


def closed(properties: Schema, *required: str) -> Schema:
    """A mapping of these keys and no others."""
    made: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**made, "required": list(required)} if required else made


def _policy() -> Schema:
    labels: Schema = {"type": "array", "uniqueItems": True, "items": {"type": "string", "pattern": whole(LABEL)}}
    properties: Schema = {
        "id": described({"type": "string", "pattern": whole(ID)}, "Its name on records; no two policies share one."),
        "description": described(_TEXT, "Why it exists, for whoever has to judge it later."),
        "mode": described({"enum": list(MODES)}, "monitor records the plan, approve asks a person, enforce acts."),
        "shadow": described(
            {"type": "boolean"}, "It decides nothing: what it would have decided is recorded beside what decides."
        ),
        "when": described({"$ref": "#/$defs/condition"}, "All of it must hold."),
        "then": described({"$ref": "#/$defs/steps"}, "What is done, in this order."),
        "review_after": duration("When a standing containment is announced again; 4h where left out."),
        "release_after": duration("When it is undone without a person, once SCC says INACTIVE; never where left out."),
        "approve_within": duration("How long a question stands before it is escalated; 30m where left out."),
        "on_expiry": described(
            {"enum": list(ON_EXPIRY)}, "What follows a question that nobody answered; escalate where left out."
        ),
        "notify": described(labels, "Labels on the announcements, by which subscribers route them."),
        "examples": described(
            {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/example"}},
            "Its own test: at least one that matches and one that does not.",
        ),
    }
    return closed(properties, *REQUIRED)


def _condition(catalogue: Catalogue) -> Schema:
    several = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/condition"}}
    groups = {"any_of": "At least one of these holds.", "none_of": "None of these holds."}
    facts = {name: described({"$ref": f"#/$defs/fact {name}"}, fact.meaning) for name, fact in catalogue.items()}
    return {**closed({**facts, **{word: described(several, groups[word]) for word in GROUPS}}), "minProperties": 1}


def _fact(fact: Fact) -> Schema:
    operators = operators_of(fact)
    compared: Schema = {
        **closed({one.value: described(_operand(one, fact), MEANINGS[one]) for one in operators}),
        "minProperties": 1,
    }
    return {"anyOf": [_literal(fact), compared]} if Operator.EQUALS in operators else compared


def _operand(operator: Operator, fact: Fact) -> Schema:
    literal = _literal(fact)
    several: Schema = {"type": "array", "minItems": 1, "items": literal}
    age: Schema = {"type": "string", "pattern": whole(DURATION)}
    may_be_empty = fact.type in (FactType.TEXT, FactType.TEXTS)
    special: dict[Operator, Schema] = {
        **dict.fromkeys((Operator.IN, Operator.NOT_IN, Operator.CONTAINS_ANY, Operator.CONTAINS_ALL), several),
        **dict.fromkeys((Operator.IN_SET, Operator.NOT_IN_SET), _TEXT),
        **dict.fromkeys((Operator.NEWER_THAN, Operator.OLDER_THAN), age),
        Operator.CONTAINS: {"anyOf": [literal, _labels()]} if fact.pairs else literal,
        Operator.EXISTS: {"type": "boolean"} if may_be_empty else {"const": True},
        Operator.GLOB: {**_TEXT, "maxLength": MAX_GLOB},
    }
    return special.get(operator, literal)


def _labels() -> Schema:
    glob = closed({"glob": {**_TEXT, "maxLength": MAX_GLOB}}, "glob")
    return {"type": "object", "minProperties": 1, "additionalProperties": {"anyOf": [_TEXT, glob]}}


def _literal(fact: Fact) -> Schema:
    """One value to compare with; of a list of texts, a member."""
    if fact.type is FactType.BOOL:
        return {"type": "boolean"}
    if fact.type is FactType.NUMBER:
        return {"type": "number"}
    if fact.type is FactType.TIME:
        return {"type": "string", "pattern": _INSTANT}
    if fact.choices:
        return {"enum": list(fact.choices)}
    return {"type": "string", "pattern": "="} if fact.pairs else _TEXT


def _step(name: str, action: Responder) -> Schema:
    own = {
        "action": described({"const": name}, action.summary),
        "otherwise": described({"$ref": "#/$defs/steps"}, "What takes its place where it refuses, or fails for good."),
        "accept_irreversible": described({"type": "boolean"}, "Do not ask a person because it cannot be undone."),
    }
    parameters = parameters_of(action)
    needed = [one.name for one in parameters if one.needed]
    schema = closed({**own, **{one.name: _parameter(one.kind) for one in parameters}}, "action", *needed)
    return described(schema, action.summary)


def _parameter(kind: Any) -> Schema:  # noqa: ANN401 - a type, as it is annotated
    if get_origin(kind) is Literal:
        return {"enum": list(get_args(kind))}
    if kind is bool:
        return {"type": "boolean"}
    if kind is int:
        return {"type": "integer", "minimum": 0}
    return _TEXT if kind is str else {"type": "array", "uniqueItems": True, "items": _TEXT}


def _example(catalogue: Catalogue, actions: Actions) -> Schema:
    sources = sorted({source_of(name) for name in catalogue})
    given: Schema = {
        **{name: described(_value(fact), fact.meaning) for name, fact in catalogue.items()},
        **{source: described({"const": UNKNOWN}, f"Nothing is known from {source}.") for source in sources},
    }
    expected = closed(
        {
            "mode": {"enum": list(MODES)},
            "actions": {"type": "array", "uniqueItems": True, "items": {"enum": list(actions)}},
            "policy": _TEXT,
        },
        "mode",
    )
    path: Schema = {"type": "string", "pattern": whole(FINDING_PATH)}
    properties: Schema = {
        "given": described(closed(given), "What this example varies; other facts satisfy the clauses naming them."),
        "finding": described(
            path,
            "A whole finding: the path of a JSON file, from this folder.",
        ),
        "expect": described({"anyOf": [{"const": NOTHING}, expected]}, "What comes of it."),
    }
    return closed(properties, "expect")


def _value(fact: Fact) -> Schema:
    """A whole value, as an example gives it."""
    if fact.type is FactType.TEXTS:
        return {"type": "array", "uniqueItems": True, "items": _literal(fact)}
    if fact.type is FactType.TIME:
        return {"type": "string", "anyOf": [{"pattern": _INSTANT}, {"pattern": _AGO}]}
    if fact.type is FactType.TEXT:
        return {"enum": [*fact.choices, ""]} if fact.choices else {"type": "string"}
    return _literal(fact)
