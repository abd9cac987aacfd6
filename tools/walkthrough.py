"""Goes through a page as its reader would: writes the files it shows, types its commands, compares what they print.

A `console` block holds commands after `$ `, and below each what it prints. A line `…` stands for any number of lines,
`…` within a line for any text; ids, hashes, times and durations may differ. A `yaml` block is the file that the line
above it ends with, as in `policies/a.yaml`: or what is put at the end of it. A command succeeds, unless `$ echo $?`
follows.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PROMPT, ANY, ASK_CODE = "$ ", "…", "echo $?"
_SECONDS = 600
_FENCE = re.compile(r"```(\w*)")
_NAMED = re.compile(r"(?P<more>the end of )?`([^`\s]+)`:$")
_VOLATILE = re.compile(
    r"(?P<id>fb-[0-9a-f]{16}|\b[0-9a-f]{12,64}\b)"
    r"|(?P<time>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?|\b\d\d:\d\d:\d\d\b|\b\d{4}-\d\d-\d\d\b)"
    r"|(?P<span> *\+?\b\d+(?:\.\d+)? (?:ms|s|min|h|d)\b)"
    r"|(?P<any>…)"
)
_MAY_BE = {
    "id": r"((?:fb-)?[0-9a-f]{12,64})",
    "time": r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?|\d\d:\d\d:\d\d|\d{4}-\d\d-\d\d",
    "span": r" *\+?\d+(?:\.\d+)? (?:ms|s|min|h|d)",
    "any": r".*",
}
_FOREIGN = (
    "FIREBREAK_",
    "K_SERVICE",
    "GOOGLE_",
    "GCLOUD_",
    "CLOUDSDK_",
    "VIRUSTOTAL_",
    "XDG_",
    "MAKE",
    "MFLAGS",
    "GIT_",
)


class Differs(Exception):
    """A place of the page, and what is not as it says there."""


@dataclass(frozen=True, slots=True)
class Write:
    """A file that the page shows, or what it adds at the end of one."""

    line: int
    path: str
    text: str
    more: bool


@dataclass(frozen=True, slots=True)
class Run:
    """A command, and what the page says that it prints; `may_fail` where its exit code is asked for next."""

    line: int
    command: str
    shown: tuple[str, ...]
    may_fail: bool


def steps_of(page: str) -> list[Write | Run]:
    """What the reader does, in order; raises Differs for a block that nothing is done with."""
    steps: list[Write | Run] = []
    for line, language, above, inside in _blocks(page):
        name = _NAMED.search(above)
        if language == "console":
            steps += _runs(line, inside)
        elif language == "yaml" and name:
            steps.append(Write(line, name[2], "\n".join(inside) + "\n", more=bool(name["more"])))
        else:
            message = f"line {line}: this block is neither a console nor a file with its name above it"
            raise Differs(message)
    return steps


def _blocks(page: str) -> Iterator[tuple[int, str, str, list[str]]]:
    """Of each fenced block its line and language, the last line of text above it, and its content."""
    lines = iter(enumerate(page.splitlines(), 1))
    above = ""
    for number, text in lines:
        if opened := _FENCE.fullmatch(text):
            inside = []
            for _, within in lines:
                if within == "```":
                    break
                inside.append(within)
            yield number, opened[1], above, inside
        elif text.strip():
            above = text


def _runs(line: int, inside: list[str]) -> Iterator[Run]:
    starts = [at for at, text in enumerate(inside) if text.startswith(PROMPT)]
    if not starts or starts[0] != 0:
        message = f"line {line}: a console begins with a command, after `{PROMPT}`"
        raise Differs(message)
    for at, end in zip(starts, [*starts[1:], len(inside)], strict=True):
        may_fail = end < len(inside) and inside[end] == PROMPT + ASK_CODE
        yield Run(line + 1 + at, inside[at].removeprefix(PROMPT), tuple(inside[at + 1 : end]), may_fail)


@dataclass
class Reader:
    """Someone who follows the page. `known` are ids of the page, each with the reader's own in its place."""

    shell: Shell
    known: dict[str, str] = field(default_factory=dict)

    def follow(self, step: Write | Run) -> None:
        """Do what the page says; raises Differs where the world differs from the page."""
        if isinstance(step, Write):
            self.shell.write(step)
            return
        code, printed = self.shell.run(self._own(step.command))
        if code and not step.may_fail:
            message = f"line {step.line}: exit {code} of `{step.command}`:\n" + "\n".join(printed)
            raise Differs(message)
        self._compare(step, printed)

    def _own(self, command: str) -> str:
        for page, own in self.known.items():
            command = command.replace(page, own)
        return command

    def _compare(self, step: Run, printed: list[str]) -> None:
        left, gap = iter(printed), False
        for shown in (one.rstrip() for one in step.shown):
            if shown == ANY:
                gap = True
                continue
            said = next((one for one in left if not gap or self._fits(shown, one)), None)
            if said is None or not self._learn(shown, said):
                message = f"line {step.line}: of `{step.command}` the page shows\n  {shown}\nand it printed\n  "
                raise Differs(message + "\n  ".join(printed))
            gap = False
        if not gap and (more := [one for one in left if one]):
            message = f"line {step.line}: `{step.command}` printed more than the page shows:\n  "
            raise Differs(message + "\n  ".join(more))

    def _fits(self, shown: str, said: str) -> bool:
        return _pattern(shown).fullmatch(said) is not None

    def _learn(self, shown: str, said: str) -> bool:
        """Whether the line is the one shown, and every id in it the one that the page's id stood for before."""
        found = _pattern(shown).fullmatch(said)
        if found is None:
            return False
        ids = [one["id"] for one in _VOLATILE.finditer(shown) if one["id"]]
        return all(self.known.setdefault(page, own) == own for page, own in zip(ids, found.groups(), strict=True))


def _pattern(shown: str) -> re.Pattern[str]:
    parts, at = [], 0
    for token in _VOLATILE.finditer(shown):
        parts += [re.escape(shown[at : token.start()]), f"(?:{_MAY_BE[str(token.lastgroup)]})"]
        at = token.end()
    return re.compile("".join((*parts, re.escape(shown[at:]))))


class Shell:
    """One bash session, from a folder that is the home of whoever reads."""

    def __init__(self, process: subprocess.Popen[str], home: Path) -> None:
        """What is typed goes to its standard input."""
        self._process = process
        self._home = home
        self._mark = f"done-{secrets.token_hex(8)}"

    def run(self, command: str) -> tuple[int, list[str]]:
        """Exit code and lines of one command, which gets no input; raises Differs where the shell has ended."""
        # The exit code is handed on, so that the next command can ask for it.
        marked = f'{{ {command}\n}} < /dev/null; _code=$?; printf "\\n%s %s\\n" {self._mark} $_code; (exit $_code)\n'
        self._process.stdin.write(marked)  # type: ignore[union-attr]  # it is a pipe
        self._process.stdin.flush()  # type: ignore[union-attr]  # as above
        printed: list[str] = []
        for line in self._process.stdout or ():
            if line.startswith(self._mark):
                while printed and not printed[-1]:
                    printed.pop()
                return int(line.split()[1]), printed
            printed.append(line.rstrip())
        message = f"the shell ended at `{command}`:\n" + "\n".join(printed)
        raise Differs(message)

    def logged(self) -> Iterator[str]:
        """The end of every log below the home, for who has to find out why something was not as it should be."""
        for log in sorted(self._home.rglob("*.log")):
            yield f"the end of {log.relative_to(self._home)}:"
            yield from log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]

    def write(self, step: Write) -> None:
        """Put a file below where the session is."""
        _, where = self.run("pwd")
        file = Path(where[0]) / step.path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a" if step.more else "w", encoding="utf-8") as open_file:
            open_file.write(step.text)


@contextmanager
def shell(start: Path) -> Iterator[Shell]:
    """A session that begins in `start`, with an empty home; what it made is removed after."""
    with tempfile.TemporaryDirectory(prefix="firebreak-page-", ignore_cleanup_errors=True) as home:
        process = subprocess.Popen(
            ["/usr/bin/env", "bash", "--norc", "--noprofile"],
            cwd=start,
            env=_environment(home),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        late = threading.Timer(_SECONDS, os.killpg, (process.pid, signal.SIGKILL))
        late.start()
        try:
            with process:
                yield Shell(process, Path(home))
        finally:
            late.cancel()


def _environment(home: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_FOREIGN)}
    emulators = [key for key in kept if key.endswith("_EMULATOR_HOST")]
    name = {f"GIT_{who}_{what}": "ada@shop.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return {**{key: value for key, value in kept.items() if key not in emulators}, "HOME": home, **name}


def follow(page: Path, start: Path) -> Iterable[str]:
    """Each step before it is done; raises Differs at the first that is not as the page says."""
    steps = steps_of(page.read_text(encoding="utf-8"))
    with shell(start) as session:
        reader = Reader(session)
        for step in steps:
            yield f"writes {step.path}" if isinstance(step, Write) else f"$ {step.command}"
            try:
                reader.follow(step)
            except Differs as difference:
                message = "\n".join((str(difference), *session.logged()))
                raise Differs(message) from None
