"""What is generated from the catalogues: the schemas beside the policies, and pages on facts, actions and lint."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping

import enrichment
import responders
from firebreak.cli.screens.catalogue import example_of, kind_of, rows_of, values_of
from firebreak.core.facts import FactType, source_of
from firebreak.policy_language.reading.conditions import OPERATORS
from firebreak.policy_language.schema.config import config_schema
from firebreak.policy_language.schema.operator_docs import MEANINGS, TYPES
from firebreak.policy_language.schema.policies import policy_schema
from tools.lint_page import lint_page

MADE = "<!-- Made by `make generate` from the code that it describes. Not edited by hand. -->"


def generated() -> Mapping[str, str]:
    """What should stand in which file."""
    catalogue, actions = enrichment.catalogue(), responders.discover()
    return {
        "policies/schema/policy.json": _json(policy_schema(catalogue, actions)),
        "policies/schema/firebreak.json": _json(config_schema()),
        "docs/facts.md": _page(facts_page()),
        "docs/actions.md": _page(actions_page()),
        "docs/containment.md": _page(containment_page()),
        "docs/lint.md": _page(itertools.chain(("# Lint", "", MADE, ""), lint_page())),
    }


def facts_page() -> Iterator[str]:
    """Every fact, source by source, then the operators."""
    yield from ("# Facts", "", MADE, "")
    yield "What policies may ask, under `when`; `firebreak policy facts` shows the same. A fact is unknown, never"
    yield "false, where its source does not say. A clause on it is unknown then too, and less evidence only ever moves"
    yield "a decision towards asking a person. Of a list in which a text was cut, or had a secret taken out, only what"
    yield "is shown is known: a clause that does not find its value there is unknown, and does not fail."
    for source, facts in itertools.groupby(enrichment.catalogue().items(), key=lambda one: source_of(one[0])):
        yield from ("", f"## {source}", "", "| fact | type | meaning | as in |", "|---|---|---|---|")
        for name, fact in facts:
            values = f" {values_of(fact)}" if fact.choices else ""
            yield f"| `{name}` | {kind_of(fact)} | {_cell(fact.meaning + values)} | `{_cell(example_of(name, fact))}` |"
    yield from ("", "## Operators", "", "| type | operators |", "|---|---|")
    for kind, operators in OPERATORS.items():
        ordered = "; of values that have an order also `at_least`, `at_most`" if kind is FactType.TEXT else ""
        yield f"| {TYPES[kind]} | {', '.join(f'`{one.value}`' for one in operators)}{ordered} |"
    yield from ("", "| operator | meaning |", "|---|---|")
    yield from (f"| `{operator.value}` | {_cell(meaning)} |" for operator, meaning in MEANINGS.items())


def actions_page() -> Iterator[str]:
    """Every action with what it declares of itself."""
    yield from ("# Actions", "", MADE, "")
    yield "What policies may do, under `then`; `firebreak policy actions` shows the same. The laws in `tests/laws/`"
    yield "hold each to what it says here: only these settings, released key by key, a person's edit never overwritten."
    for name, action in responders.discover().items():
        yield from ("", f"## {name}", "", action.summary, "")
        yield from ("```yaml", f"- {action.example}", "```", "", "| | |", "|---|---|")
        yield from (f"| {label} | {_cell(text)} |" for label, text in rows_of(action))


def containment_page() -> Iterator[str]:
    """What each action sends, closes and leaves open, and the way back."""
    yield from ("# Containment", "", MADE, "")
    yield "What each action sends to Google, what that closes, what stays open after it, and the way back. What stays"
    yield "open of the workload at hand is worked out at the time from all its doors and stands on the record, under"
    yield "`still_open`."
    for name, action in responders.discover().items():
        rows = {
            "acts on": ", ".join(sorted(action.kinds)).replace("_", " "),
            "call": action.call,
            "closes": action.closes,
            "stays open": "; ".join(action.leaves_open) or "what the record says of the workload",
            "undo": action.undo,
            "permissions": ", ".join(f"`{one}`" for one in sorted(action.permissions)),
        }
        yield from ("", f"## {name}", "", action.summary, "", "| | |", "|---|---|")
        yield from (f"| {label} | {_cell(text)} |" for label, text in rows.items())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _page(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
