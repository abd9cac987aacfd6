"""What a shell offers to whoever presses Tab: all that the parser takes, and the ids of incidents."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable
from typing import get_args

import pytest

from firebreak.cli.arguments import arguments
from firebreak.cli.completion import SCRIPTS, offers
from firebreak.core.incidents.phase import CLOSED_AS, Phase
from tests.cli.commands import Told

LISTED = "3 incidents.\nincident  phase\nfb-00000000000000a1  waiting  fb-notone\nfb-00000000000000b2  contained"
Offered = Callable[[str], list[str]]


@pytest.fixture
def offered(firebreak: Told) -> Offered:
    """What bash offers at the end of a line, where `firebreak incident list` prints two incidents."""
    script = firebreak("completion", "bash").out

    def at_the_end_of(line: str) -> list[str]:
        words = " ".join(shlex.quote(one) for one in line.split(" "))
        asked = (
            f"{script}\nfirebreak() {{ printf '%s\\n' {shlex.quote(LISTED)}; }}\nCOMP_WORDS=({words})\n"
            'COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_firebreak\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
        )
        ran = subprocess.run(["/bin/bash", "--norc"], input=asked, capture_output=True, text=True, check=True)
        assert ran.stderr == ""
        return ran.stdout.split()

    return at_the_end_of


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("firebreak inc", ["incident"]),
        ("firebreak incident re", ["reject", "release", "retry", "review"]),
        ("firebreak incident close --", ["--help", "--json", "--traceback", "--local", "--by", "--digest", "--as"]),
        ("firebreak incident close fb-1 --as ", list(CLOSED_AS)),
        ("firebreak incident list --phase ", list(get_args(Phase))),
        ("firebreak incident list --since ", []),
        ("firebreak completion ", list(SCRIPTS)),
        ("firebreak incident show ", ["fb-00000000000000a1", "fb-00000000000000b2"]),
        ("firebreak incident approve --yes fb-00000000000000b", ["fb-00000000000000b2"]),
        ("firebreak policy lint --format s", ["sarif"]),
    ],
)
def test_bash_offers_what_may_be_typed_there(offered: Offered, line: str, words: list[str]) -> None:
    assert offered(line)[: len(words)] == words
    assert bool(offered(line)) is bool(words)


@pytest.mark.parametrize("shell", SCRIPTS)
def test_every_word_and_option_of_the_one_parser_is_in_every_script(firebreak: Told, shell: str) -> None:
    script = firebreak("completion", shell).out
    found = list(offers(arguments()))

    assert {one.at for one in found} >= {"firebreak incident close", "firebreak policy explain", "firebreak halt"}
    for one in found:
        for name in (*one.words, *(option.lstrip("-") for option in one.options)):
            assert name in script, f"{one.at} {name}"


def test_for_programs_the_script_is_json(firebreak: Told) -> None:
    told = firebreak("completion", "bash", "--json").json

    assert told == {"shell": "bash", "script": firebreak("completion", "bash").out.rstrip("\n")}


def test_another_shell_is_wrong_usage(firebreak: Told) -> None:
    assert firebreak("completion", "tcsh").code == 2
