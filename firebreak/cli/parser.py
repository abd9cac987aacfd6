"""The parser of the command line: where a word is mistyped, the error names the command or option that was meant."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence

from firebreak.core.diagnostics import nearest_word

_ID = "fb-"


class Parser(argparse.ArgumentParser):
    """A parser that says what was probably meant."""

    def _check_value(self, action: argparse.Action, value: object) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as fault:
            known = _known(self.prog, action.choices or ())
            fault.message += _meant(str(value), known) or _shown(str(value), known)
            raise

    def parse(self, words: Sequence[str] | None) -> argparse.Namespace:
        """What was typed; a word too many, or an option that is none, ends with that command's own usage."""
        parsed, left = self.parse_known_args(words)
        if left and not _taken(parsed, left):
            command: Parser = parsed.parser
            known = {option: option for option in command._option_string_actions}
            meant = _meant(left[0].partition("=")[0], known) if left[0].startswith("-") else ""
            command.error(f"unrecognized arguments: {' '.join(left)}{meant}")
        return parsed


def _taken(parsed: argparse.Namespace, left: Sequence[str]) -> bool:
    """Whether the words are further ones of a command that takes any number, behind options as well as before."""
    many = [one for one in parsed.parser._actions if one.nargs in ("*", "+")]  # noqa: SLF001 - argparse has no public name for it
    if not many or any(word.startswith("-") for word in left):
        return False
    setattr(parsed, many[0].dest, [*getattr(parsed, many[0].dest), *map(many[0].type or str, left)])
    return True


def _known(prog: str, choices: Iterable[str]) -> dict[str, str]:
    """Each choice by its word, and of commands those one level below too, with what there is to type."""
    if not isinstance(choices, Mapping):
        return {word: word for word in choices}
    below = {word: typed for parser in choices.values() for word, typed in _below(parser)}
    return below | {word: f"{prog} {word}" for word in choices}


def _below(parser: argparse.ArgumentParser) -> Iterable[tuple[str, str]]:
    for action in parser._actions:  # noqa: SLF001 - argparse has no public name for it
        if isinstance(action.choices, Mapping):
            yield from ((word, f"{parser.prog} {word}") for word in action.choices)


def _meant(word: str, known: Mapping[str, str]) -> str:
    bare = {one.lstrip("-"): one for one in known}  # hyphens would make all options alike
    near = bare.get(nearest_word(word.lstrip("-"), bare) or "")
    return f"; did you mean `{known[near]}`?" if near else ""


def _shown(word: str, known: Mapping[str, str]) -> str:
    """An incident's id where a command belongs: most likely somebody wants to see it."""
    return f"; did you mean `{known['show']} {word}`?" if word.startswith(_ID) and "show" in known else ""
