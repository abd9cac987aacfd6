"""What is wrong with a text that is not YAML, in words that say what to do, and the text as it was probably meant."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from firebreak.core.diagnostics import quoted
from firebreak.policy_language.reading.elsewhere import ALL, ALL_FORM, GROUP_FORMS, GROUPS

_VALUE = re.compile(
    r"(?P<before>\s*(?:- )*(?:[\w.-]+: +(?:- )*)?)(?P<value>[^\s\"'\[{#&*!|>%@`].*?)(?P<after>\s+#.*|\s*)"
)
_TAB = re.compile(r"^[ \t]*\t[ \t]*", re.MULTILINE)
_STAND_INS = (
    (re.compile(r"[\u00a0\u2000-\u200b\u202f\u3000]"), " ", "this blank is no plain space: type it anew"),
    (re.compile(r"[\u2018-\u201f]"), '"', 'these are no quotes: write " instead'),
)
_CLOSING = {"{": "}", "[": "]"}
_DEEPER = "this line is indented deeper than the one above it, which has its value already"
_COLON = "`: ` stands inside of the value: put the whole value in quotes"
_BLOCK = "a value that begins with this sign needs quotes; a bound is written {at_least: 10}"


@dataclass(frozen=True, slots=True)
class NotYaml:
    """Where it is not YAML, counted from 1, and why; `mended` is the text to go on with, None to give up."""

    places: tuple[tuple[int, int], ...]
    message: str
    mended: str | None = None


@dataclass(frozen=True, slots=True)
class _Spot:
    """A line and a column in a text, counted from 0."""

    text: str
    number: int
    column: int

    @property
    def line(self) -> str:
        return "".join(self.text.split("\n")[self.number : self.number + 1])

    @property
    def place(self) -> tuple[int, int]:
        return self.number + 1, self.column + 1

    def with_line(self, line: str) -> str:
        """The whole text, with another line in the place of this one."""
        lines = self.text.split("\n")
        return "\n".join([*lines[: self.number], line, *lines[self.number + 1 :]])


def explained(error: Any, text: str) -> NotYaml:  # noqa: ANN401 - an error of PyYAML, which has no types
    """What a parser's error comes from."""
    problem, context = str(error.problem), str(error.context or "")
    marks = [one for one in (error.problem_mark, error.context_mark) if one]
    if not marks:
        return NotYaml(((1, 1),), f"not YAML: {problem}")
    here, begun = (_Spot(text, one.line, one.column) for one in (marks[0], marks[-1]))
    found = _in_signs(here, problem) or _in_signs(begun, "") or _in_braces(here, begun, problem, context)
    found = found or _in_structure(here, begun, problem, context)
    return found or NotYaml((here.place,), f"not YAML: {', '.join(filter(None, (error.context, error.problem)))}")


def _in_signs(here: _Spot, problem: str) -> NotYaml | None:
    """Characters that stand for others, and a colon in a value."""
    if here.line[here.column :].startswith("\t") or "tab character" in problem:
        before = [(here.text[: one.start()], one[0]) for one in _TAB.finditer(here.text)]
        tabs = [(above.count("\n") + 1, indent.index("\t") + 1) for above, indent in before]
        return NotYaml(tuple(tabs) or (here.place,), "not YAML: a tab: indent with spaces")
    for strange, plain, why in _STAND_INS:
        if found := strange.search(here.line):
            mended = here.with_line(strange.sub(plain, here.line))
            return NotYaml(((here.number + 1, found.start() + 1),), f"not YAML: {why}", mended)
    if "mapping values are not allowed" not in problem:
        return None
    if ": " not in here.line[: here.column]:
        return NotYaml((here.place,), f"not YAML: {_DEEPER}")
    found = _VALUE.fullmatch(here.line)
    if found is None or '"' in found["value"]:
        return NotYaml((here.place,), f"not YAML: {_COLON}")
    value = found["value"].replace("\\", "\\\\")
    mended = here.with_line(f'{found["before"]}"{value}"{found["after"]}')
    return NotYaml((here.place,), f"not YAML: {_COLON}", mended)


def _in_structure(here: _Spot, begun: _Spot, problem: str, context: str) -> NotYaml | None:
    """What was begun and does not end, or ends where it should not."""
    if "could not find expected ':'" in problem:
        return NotYaml((begun.place,), f"not YAML: {_without_colon(begun.line)}")
    if "quoted scalar" in context and "end of stream" in problem:
        return NotYaml((begun.place,), "not YAML: this quote is not closed")
    if ("expected key" in problem or "'-' indicator" in problem) and (opened := _opened_above(here)):
        return NotYaml((opened,), "not YAML: this quote is not closed")
    if "escape character" in problem:
        return NotYaml((here.place,), "not YAML: a backslash means something else in double quotes: use '…'")
    if "block scalar" in context:
        return NotYaml((begun.place,), f"not YAML: {_BLOCK}")
    told = _plainly(here.line, here.column, problem)
    return NotYaml((here.place,), f"not YAML: {told}") if told else None


def _in_braces(here: _Spot, begun: _Spot, problem: str, context: str) -> NotYaml | None:
    """A list or a mapping in one line that is not closed, or whose members are not parted."""
    if not ("flow sequence" in context or "flow mapping" in context) or "expected ','" not in problem:
        return None
    opening = begun.line[begun.column : begun.column + 1]
    if _CLOSING.get(opening, "") not in begun.line[begun.column :]:
        return NotYaml((begun.place,), f"not YAML: this {quoted(opening)} is not closed")
    return NotYaml((here.place,), "not YAML: a comma belongs before this, or quotes around the value that has it")


def _opened_above(here: _Spot) -> tuple[int, int] | None:
    """The last quote of the first line above that has an odd number of them: a value that runs on as far as here."""
    for number, line in enumerate(here.text.split("\n")[: here.number]):
        bare = re.split(r"(?:^|\s)#", line)[0]
        if bare.count('"') % 2:
            return number + 1, bare.rindex('"') + 1
    return None


def _without_colon(line: str) -> str:
    bare = line.strip().removeprefix("- ")
    if (word := bare.lower()) in ALL:
        return f"{quoted(bare)} is not needed: {ALL_FORM}"
    if group := GROUPS.get(word):
        return f"{quoted(bare)} stands alone: write {GROUP_FORMS[group]}"
    if found := re.match(r"([\w.]+)\s*(==?|!=|[<>]=?)\s*(\S+)", bare):
        form = {"=": "{2}", "!": "{{not_in: [{2}]}}", ">": "{{at_least: {2}}}", "<": "{{at_most: {2}}}"}[found[2][0]]
        return f"this is no comparison here: write {found[1]}: {form.format('', '', found[3])}"
    if found := re.match(r"([\w.]+):(\S+)", bare):
        return f"a blank belongs behind the colon: write {found[1]}: {found[2]}"
    return f"this line has no `: ` in it: write {bare.split(maxsplit=1)[0] if bare else 'KEY'}: VALUE"


def _plainly(line: str, column: int, problem: str) -> str:
    """What people most often do, in words that say what to do; empty where it is something else."""
    before = line[:column]
    if "cannot start any token" in problem:
        return f"no value begins with {quoted(line[column : column + 1])}: put the whole value in quotes"
    if "expected key" in problem or "'-' indicator" in problem:
        ended = "the value has ended before this: put the whole value in quotes, and write '' for ' inside of '…'"
        return ended if before.strip() else "this line is indented otherwise than those that it belongs to"
    if before.rstrip().endswith(",") and line[column:].startswith(","):
        return "two commas stand beside each other: leave one out"
    return "a value that begins with `*` needs quotes" if before.endswith("*") else ""
