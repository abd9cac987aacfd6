"""One history of the machine, step by step: `python -m tests.model.replay FILE`, with the lines that a red test prints.

The lines are those that begin with `state.`. With `shorter` behind the file it is told with as few of them as still
break what is broken by all.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from tests.model.clock import played_on
from tests.model.history import Violated
from tests.model.machine import ResponseMachine

_VARIES = re.compile(r"fb-\w+|\bf\d+\b|\w+=\d+|\S+-\d\b")


def lines_in(text: str) -> list[str]:
    """The rules in what a red test prints, each on one line."""
    found = re.search(r"^ *state\.deployed\(.*?^ *state\.teardown\(\)", text, re.DOTALL | re.MULTILINE)
    return [ast.unparse(one) for one in ast.parse(textwrap.dedent(found[0])).body] if found else []


def played(lines: Sequence[str], *, told: bool = False) -> Violated | None:
    """What is broken by these lines; None if nothing is."""
    with played_on(ResponseMachine.clock):
        state = ResponseMachine()
        try:
            for line in lines:
                exec(line, {"state": state})  # noqa: S102 - a rule and what was drawn for it, as Hypothesis prints it
                if told:
                    tell(state)
        except Violated as broken:
            return broken
        except ZeroDivisionError:  # without the other lines there is nothing that this one could be about
            return None
    return None


def tell(state: ResponseMachine) -> None:
    """What the last line came to: each incident as it is now, and what was written."""
    history = state.stage.history
    sys.stdout.write(f"* {state.stage.script[-1] if state.stage.script else ''}\n")
    for one in history.incidents:
        sys.stdout.write(f"    {one.id} is {one.phase}: {one.history[-1].what if one.history else ''}\n")
    for wrote in history.this_step():
        sys.stdout.write(f"    {wrote}\n")


def shortened(lines: list[str]) -> list[str]:
    """As few of the lines as break the same."""
    wanted, again = _kind(played(lines)), True
    while again:
        again = False
        for number in range(len(lines) - 2, 0, -1):
            fewer = lines[:number] + lines[number + 1 :]
            if _kind(played(fewer)) == wanted:
                lines, again = fewer, True
    return lines


def _kind(broken: Violated | None) -> str:
    return _VARIES.sub("", str(broken))[:80] if broken else ""


if __name__ == "__main__":
    given = lines_in(Path(sys.argv[1]).read_text())
    given = shortened(given) if "shorter" in sys.argv[2:] else given
    sys.stdout.write("\n".join(given) + "\n")
    sys.exit(str(played(given, told=True) or ""))
