"""Every `firebreak` command and option that a page names is one that the command line has."""

from __future__ import annotations

import argparse
import re

import pytest

from firebreak.cli.arguments import arguments as parser
from tests.repository.checkout import text_of, tracked

PAGES = sorted(path for path in tracked() if path.endswith(".md") and path != "CHANGELOG.md")
IN_BACKTICKS = re.compile(r"`(?:\.venv/bin/)?firebreak (?P<words>[^`]+)`")
BEFORE = r"(?:(?:- )?run: |\$ |&& |\|\|? |; )?(?:\w+=\S* )*(?:\.venv/bin/)?"
TYPED = re.compile(BEFORE + r"firebreak (?P<words>[^#\n]+)")
NEXT = re.compile(r"\s+(?=(?:&&|\|\|?) )|(?=; )")
FENCED = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands_in(text: str) -> list[list[str]]:
    """The words behind `firebreak`, up to the end of the command, of each that stands in backticks or in a block."""
    found = [one["words"] for one in IN_BACKTICKS.finditer(FENCED.sub("", text))]
    lines = [line.strip() for block in FENCED.findall(text) for line in block.splitlines()]
    found += [one["words"] for line in lines for part in NEXT.split(line) if (one := TYPED.match(part))]
    return [re.split(r"\s+(?:&&|\||>)|   |;", one)[0].split() for one in found]


def below(at: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """A parser's subcommands by name."""
    groups = [action for action in at._actions if isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001
    return dict(groups[0].choices) if groups else {}


def unknown(words: list[str]) -> str:
    """The first subcommand or option that does not exist; empty if all do. Words for values are not judged."""
    at: argparse.ArgumentParser = parser()
    while words and (choices := below(at)) and not words[0].startswith("-"):
        for name in words[0].split("|"):
            if name not in choices:
                return name
        at, words = choices[words[0].split("|")[0]], words[1:]
    options = {option for action in at._actions for option in action.option_strings}  # noqa: SLF001
    named = [re.match(r"--[a-z0-9-]+", word) for word in words]
    return next((one[0] for one in named if one and one[0] not in options), "")


@pytest.mark.parametrize("page", PAGES)
def test_every_command_and_option_that_a_page_names_exists(page: str) -> None:
    assert {" ".join(words): found for words in commands_in(text_of(page)) if (found := unknown(words))} == {}


def test_the_pages_name_many_commands() -> None:
    assert len([words for page in PAGES for words in commands_in(text_of(page))]) > 80


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("`firebreak --vresion`", "--vresion"),
        ("`firebreak incident aprove ID`", "aprove"),
        ("```\n$ firebreak policy lint --strikt && ls\n```\n", "--strikt"),
        ("```\n$ firebreak sweep && firebreak polcy lint\n```\n", "polcy"),
        ("```\n$ cd policies && firebreak polcy lint\n```\n", "polcy"),
        ("```\n$ firebreak sweep; firebreak polcy lint\n```\n", "polcy"),
        ("```\n$ A=1 B=2 firebreak polcy lint\n```\n", "polcy"),
        ("```\n  - run: firebreak polcy lint\n```\n", "polcy"),
    ],
)
def test_a_planted_command_that_does_not_exist_is_found(text: str, said: str) -> None:
    assert [found for words in commands_in(text) if (found := unknown(words))] == [said]
