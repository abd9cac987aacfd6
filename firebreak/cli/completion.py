"""Completion scripts for three shells, made from the one parser: what may be typed is said nowhere else."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import get_args

from firebreak.core.incidents.phase import Phase

_IDS = "firebreak incident list 2>/dev/null | grep -o '^fb-[0-9a-f]*'"
"""What a shell runs for the ids of incidents: those that somebody has to look at come first."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What may follow some words.

    Attributes:
        at: the words, `firebreak` first.
        words: each further word with what it does.
        options: each option with what it does.
        values: the option that takes a value to the values that are known; empty where any may be given.
        ids: whether an incident's id may be given here.
    """

    at: str
    words: Mapping[str, str]
    options: Mapping[str, str]
    values: Mapping[str, tuple[str, ...]]
    ids: bool


def offers(parser: argparse.ArgumentParser, at: str = "firebreak") -> Iterator[Offer]:
    """Of a parser and all below it, outermost first."""
    actions = parser._actions  # noqa: SLF001 - argparse tells in no other way what it takes
    below = next((one for one in actions if isinstance(one, argparse._SubParsersAction)), None)  # noqa: SLF001 - as above
    words = {one.dest: one.help or "" for one in below._choices_actions} if below else {}  # noqa: SLF001 - as above
    options = [one for one in actions if one.option_strings]
    takes = [one for one in options if one.nargs != 0]
    positional = [one for one in actions if not one.option_strings and one is not below]
    yield Offer(
        at,
        {**words, **{str(value): "" for one in positional for value in one.choices or ()}},
        {name: one.help or "" for one in options for name in one.option_strings if name != "-h"},
        {name: _known(one) for one in takes for name in one.option_strings},
        any(one.dest == "id" for one in positional),
    )
    for name, inner in below.choices.items() if below else ():
        yield from offers(inner, f"{at} {name}")


def _known(option: argparse.Action) -> tuple[str, ...]:
    known = get_args(Phase) if option.dest == "phase" else option.choices or ()
    return tuple(map(str, known))


def bash(found: tuple[Offer, ...]) -> str:
    """For `eval`, or a file below bash-completion's folder."""
    return "\n".join(
        (
            '# bash completion for firebreak: eval "$(firebreak completion bash)"',
            "_firebreak() {",
            '    local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" at=firebreak i offered=""',
            "    for ((i = 1; i < COMP_CWORD; i++)); do",
            '        case "$at ${COMP_WORDS[i]}" in',
            f'            {_paths(found)}) at="$at ${{COMP_WORDS[i]}}" ;;',
            "        esac",
            "    done",
            '    case "$at $prev" in',
            *(f'        {options}) offered="{words}" ;;' for options, words in _values(found)),
            '        *) case "$at" in',
            *(f'            "{one.at}") offered="{" ".join((*one.words, *one.options))}" ;;' for one in found),
            "        esac",
            f'        case "$at" in {_with_ids(found)}) [[ $cur == -* ]] || offered="$({_IDS})" ;; esac ;;',
            "    esac",
            '    COMPREPLY=($(compgen -W "$offered" -- "$cur"))',
            "}",
            "complete -o default -F _firebreak firebreak",
        )
    )


def zsh(found: tuple[Offer, ...]) -> str:
    """For `eval`, or a file `_firebreak` in a folder of `fpath`."""
    return "\n".join(
        (
            "#compdef firebreak",
            '# zsh completion for firebreak: eval "$(firebreak completion zsh)", after compinit',
            "_firebreak() {",
            "    local at=firebreak i; local -a offered",
            "    for ((i = 2; i < CURRENT; i++)); do",
            '        case "$at ${words[i]}" in',
            f'            {_paths(found)}) at="$at ${{words[i]}}" ;;',
            "        esac",
            "    done",
            '    case "$at ${words[CURRENT-1]}" in',
            *(f"        {options}) offered=({words}) ;;" for options, words in _values(found)),
            '        *) case "$at" in',
            *(f'            "{one.at}") offered=({_described(one)}) ;;' for one in found),
            "        esac",
            f'        case "$at" in {_with_ids(found)}) [[ $PREFIX == -* ]] || offered=($({_IDS})) ;; esac ;;',
            "    esac",
            "    (( ${#offered} )) && _describe firebreak offered || _files",
            "}",
            "(( ${+functions[compdef]} )) && compdef _firebreak firebreak",
        )
    )


def fish(found: tuple[Offer, ...]) -> str:
    """For `source`, or a file in fish's folder of completions."""
    return "\n".join(
        (
            "# fish completion for firebreak: firebreak completion fish | source",
            "function __firebreak_at",
            "    set -l at firebreak",
            "    for word in (commandline -opc)[2..-1]",
            '        switch "$at $word"',
            f"            case {' '.join(shlex.quote(one.at) for one in found[1:])}",
            '                set at "$at $word"',
            "        end",
            "    end",
            "    echo $at",
            "end",
            *(line for one in found for line in _for_fish(one)),
        )
    )


SCRIPTS: Mapping[str, Callable[[tuple[Offer, ...]], str]] = MappingProxyType({"bash": bash, "zsh": zsh, "fish": fish})


def _paths(found: tuple[Offer, ...]) -> str:
    return "|".join(f'"{one.at}"' for one in found[1:])


def _with_ids(found: tuple[Offer, ...]) -> str:
    return "|".join(f'"{one.at}"' for one in found if one.ids)


def _values(found: tuple[Offer, ...]) -> Iterator[tuple[str, str]]:
    """Pattern of the options that take the same values, and the values; last those that take any."""
    takes = [(f'"{one.at} {option}"', known) for one in found for option, known in one.values.items()]
    for values in sorted({known for _, known in takes}, reverse=True):
        yield "|".join(option for option, known in takes if known == values), " ".join(values)


def _described(offer: Offer) -> str:
    told = {**offer.words, **offer.options}
    return " ".join(shlex.quote(f"{word}:{' '.join(about.split())}") for word, about in told.items())


def _for_fish(offer: Offer) -> Iterator[str]:
    here = f"complete -c firebreak -n {shlex.quote(f'test (__firebreak_at) = {shlex.quote(offer.at)}')}"
    for word, about in offer.words.items():
        yield f"{here} -f -a {word} -d {_fish_quoted(about)}"
    for option, about in offer.options.items():
        name = f"-l {option[2:]}" if option.startswith("--") else f"-s {option[1:]}"
        known = offer.values.get(option)
        takes = "" if known is None else f" -x -a {shlex.quote(' '.join(known))}" if known else " -r"
        yield f"{here} {name}{takes} -d {_fish_quoted(about)}"
    if offer.ids:
        yield f"{here} -f -a {_fish_quoted(f'({_IDS})')}"


def _fish_quoted(text: str) -> str:
    escaped = " ".join(text.split()).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
