"""What the checks of a deployment found: what is well in a line each, what is not with the line that mends it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from firebreak.cli.screens.console import Screen
from firebreak.core.secrets.redaction import safe
from firebreak.doctor.result import Diagnosis, Fault, Ok, Result, Unchecked

_WIDTH = 6


def show_diagnoses(screen: Screen, diagnoses: Sequence[Diagnosis], project: str) -> None:
    """What is well, then what nobody knows, and nearest to the last line what there is to do."""
    for one in diagnoses:
        if all(isinstance(result, Ok) for result in one.results):
            screen.line(f"{'ok':<{_WIDTH}}{_sentence(one)}", hang=_WIDTH)
    for kind in (Unchecked, Fault):
        for one in diagnoses:
            for result in one.results:
                if isinstance(result, kind):
                    _show_one(screen, one.about, result)
    results = [result for one in diagnoses for result in one.results]
    faults = sum(isinstance(one, Fault) for one in results)
    unchecked = sum(isinstance(one, Unchecked) for one in results)
    if not faults and not unchecked:
        screen.line(f"All is well: {len(results)} things were checked in {project}.", "good")
        return
    told = [f"{faults} faults" if faults != 1 else "1 fault"] if faults else []
    told += [f"{unchecked} could not be checked"] if unchecked else []
    screen.line(
        f"{', '.join(told)}, {len(results) - faults - unchecked} well in {project}.", "bad" if faults else "caution"
    )


def _sentence(diagnosis: Diagnosis) -> str:
    told = [safe(one.says) for one in diagnosis.results]
    return (
        f"{diagnosis.about}: {told[0]}"
        if len(told) == 1
        else f"{diagnosis.about}: {len(told)} things as they should be"
    )


def _show_one(screen: Screen, about: str, result: Result) -> None:
    word, style = ("FAULT", "bad") if isinstance(result, Fault) else ("?", "caution")
    screen.line(f"{word:<{_WIDTH}}{about}: {safe(result.says)}", style, hang=_WIDTH)
    if isinstance(result, Fault):
        screen.verbatim(safe(result.mend), "command", indent=_WIDTH)
    if isinstance(result, Unchecked) and result.role:
        screen.line(f"could not be checked; it takes {result.role}", indent=_WIDTH)


def diagnosis_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """For programs: each result with its status, `ok`, `fault` or `unchecked`."""
    results = [_json(one) for one in diagnosis.results]
    return {"check": diagnosis.check, "about": diagnosis.about, "results": results}


def _json(result: Result) -> dict[str, str]:
    told = {"status": type(result).__name__.lower(), "says": safe(result.says)}
    if isinstance(result, Fault):
        told["mend"] = safe(result.mend)
    if isinstance(result, Unchecked) and result.role:
        told["role"] = result.role
    return told
