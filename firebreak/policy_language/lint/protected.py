"""Policies that would act alone, and never do, because all that they are about is protected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from firebreak.core.diagnostics import Location
from firebreak.core.facts import FactType
from firebreak.core.mode import Mode
from firebreak.core.policy.clause import Clause, Operator
from firebreak.core.policy.condition import AllOf, NoneOf
from firebreak.core.policy.policy import Policy
from firebreak.core.policy.protected import Pattern, Protected
from firebreak.policy_language.lint.conditions import LintContext, LintWarning
from firebreak.policy_language.lint.rules import ENFORCE_ON_PROTECTED

_NOWHERE = Location("", 1, 1)
_MESSAGE = "all that this policy is about is `protected` in firebreak.yaml, so a person is asked each time"


def enforced_on_protected(
    policies: Iterable[Policy], entries: Iterable[Protected], world: LintContext
) -> Iterator[LintWarning]:
    """Policies in mode enforce that match nothing but what the entries protect, as far as facts tell."""
    protected = tuple(AllOf(parts) for one in entries if (parts := tuple(_clauses(one))))
    for policy in policies if protected else ():
        matches = policy.mode is Mode.ENFORCE and not world.excludes(policy.when)
        if matches and world.excludes(policy.when, NoneOf(protected)):
            yield LintWarning(ENFORCE_ON_PROTECTED, policy.places.get("mode", policy.at), _MESSAGE)


def _clauses(entry: Protected) -> Iterator[Clause]:
    """The entry as clauses; nothing of one that asks for what is no fact: a folder, a project's number."""
    if entry.folder is not None or (entry.project and not entry.project.may_be_name):
        return
    if entry.project:
        yield _fits("workload.project", entry.project)
    if entry.service:
        yield _fits("workload.name", entry.service)
    for label, wanted in entry.labels:
        operator = Operator.GLOB if wanted.glob else Operator.CONTAINS
        yield Clause("workload.labels", operator, f"{label}={wanted.text}", FactType.TEXTS, (), _NOWHERE)


def _fits(fact: str, wanted: Pattern) -> Clause:
    operator = Operator.GLOB if wanted.glob else Operator.EQUALS
    return Clause(fact, operator, wanted.text, FactType.TEXT, (), _NOWHERE)
