"""Secrets in command lines, given as a list of words or as one line: `--token X`, `-p X`, `mysql -pX`, `-u user:X`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from types import MappingProxyType

from firebreak.core.secrets.names import names_a_secret

MARK = "[redacted secret]"
MARKED = re.compile(r"\[redacted [0-9A-Za-z. ]{1,40}\]")
_OPTION = re.compile(r"--?[A-Za-z][0-9A-Za-z_.-]*(?:=.*)?", re.DOTALL)
_BARE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*|[A-Z][A-Za-z]*(?:-[A-Z][A-Za-z]*)+|Authorization|Cookie")
_VARIABLE = re.compile(r"[A-Z]+(?:_[A-Z]+)*")
_PLAIN = re.compile(r"[0-9.]{1,15}(?:[:/-][0-9.]{1,15}){0,2}(?:/(?:tcp|udp))?|")
"""What `-p` has where it is a port, `-u` where it is a user's number."""
_TOKEN = re.compile(r"(?:\[redacted [0-9A-Za-z. ]{1,40}\]|\"[^\"]{0,2000}\"|'[^']{0,2000}'|[^\s\"'\[]++|[\"'\[])++")
_LEADING = re.compile(r"(?:\[(?!redacted )|[\"'({,\\])*")
_TRAILING = "\"'),;}]\\"
_ENDS = frozenset({";", "|", "||", "&&", "&"})
_JOINED = frozenset(
    {"mysql", "mysqldump", "mysqladmin", "mysqlimport", "mariadb", "mariadb-dump", "sshpass", "7z", "7za"}
)
"""Programs that take a password right behind `-p`."""
_PASSWORD_OPTIONS = MappingProxyType(
    {
        "redis-cli": ("-a",),
        "ldapsearch": ("-w",),
        "ldapadd": ("-w",),
        "ldapmodify": ("-w",),
        "sqlcmd": ("-P",),
        "zip": ("-P",),
        "unzip": ("-P",),
        "curl": ("-b",),
        "openssl": ("-k", "-K"),
        "vault": ("login",),
        "mosquitto_pub": ("-P",),
        "mosquitto_sub": ("-P",),
    }
)
_ANOTHER_P = frozenset(
    (
        *(
            "mkdir",
            "ssh",
            "scp",
            "cp",
            "install",
            "nmap",
            "netstat",
            "ps",
            "kill",
            "tar",
            "nc",
            "ncat",
            "python",
            "pytest",
        ),
        *(
            "python3",
            "perl",
            "podman",
            "kubectl",
            "ss",
            "lsof",
            "read",
            "export",
            "declare",
            "touch",
            "unshare",
            "psql",
        ),
        *("redis-cli", "patch", "test", "pg_dump", "flake8", "uvicorn", "gunicorn", "flask"),
    )
)
"""Programs whose `-p` is no password."""
_PROGRAMS = _JOINED | _PASSWORD_OPTIONS.keys() | _ANOTHER_P
_SETTINGS = frozenset({"requirepass", "masterauth"})
"""Settings that are written before their value, with nothing between."""
_SCHEMES = frozenset({"bearer", "basic", "token", "digest", "ssws", "negotiate", "apikey"})
"""What may stand between the name of a header and its credentials."""
_PIPED = frozenset({"-S", "--password-stdin", "--passphrase-fd", "--stdin", "--with-token", "chpasswd"})
"""What says that a secret is read from a pipe."""
_SAID = frozenset({"echo", "printf"})
_USERS = frozenset({"-u", "-U", "--user", "--proxy-user", "--userpwd"})


def safe_words(words: Sequence[str], *, listed: bool = True) -> list[str]:
    """The words with each that is a secret because of its place replaced; what is in a word itself is left.

    A bare name, such as `Authorization`, has its value behind it in a list; in a sentence it is a word like others.
    """
    made: list[str] = []
    program, expects, named = "", "", ""
    for word in words:
        if expects and _is_value(word, expects):
            if expects == "any" and word.lower() in _SCHEMES and named.endswith("authorization"):
                made.append(word)
                continue
            made.append(_hidden(word, expects))
            expects = ""
            continue
        base = word.rpartition("/")[2]
        if word in _ENDS:
            program = ""
        elif base in _PROGRAMS:
            program = base
        expects = "secret" if named == "set" and names_a_secret(word) else _expected(word, program)
        expects, named = "" if expects == "any" and not listed else expects, word.rstrip(":").lower()
        made.append(_joined(word, program))
    return _without_piped(made)


def _without_piped(words: list[str]) -> list[str]:
    """The words without those that are said into a pipe from which a password is read."""
    made, ends = list(words), [at for at, one in enumerate(words) if one in _ENDS]
    commands = [range(before + 1, end) for before, end in pairwise((-1, *ends, len(words)))]
    for saying, reading in pairwise(commands):
        if words[saying.stop] != "|" or _PIPED.isdisjoint(words[reading.start : reading.stop]):
            continue
        begin = next((at for at in saying if words[at].rpartition("/")[2] in _SAID), saying.stop)
        for at in range(begin + 1, saying.stop):
            made[at] = words[at] if _OPTION.fullmatch(words[at]) else MARK
    return made


def safe_line(line: str) -> str:
    """The same for one line of text, in which words stand between blanks, in quotes, or as a list is written down."""
    if not ("-" in line or "|" in line or "vault " in line or "set " in line):
        return line
    found = [(one, *_bare(one[0])) for one in _TOKEN.finditer(line)]
    made, end = [], 0
    for (one, at, word), shown in zip(found, safe_words([word for _, _, word in found], listed=False), strict=True):
        told = safe_line(word) if at and shown == word and " " in word else shown
        if told != word:
            made += [line[end : one.start() + at], told]
            end = one.start() + at + len(word)
    return "".join((*made, line[end:]))


def _bare(token: str) -> tuple[int, str]:
    """Where a word begins within its quotes and brackets, and the word."""
    at = len(_LEADING.match(token)[0])  # type: ignore[index]  # it matches nothing too
    word = token[at:].rstrip(_TRAILING)
    if word.rfind("[redacted ") > word.rfind("]"):
        word += "]"
    return (at, word) if word else (0, token)


def _expected(word: str, program: str) -> str:
    """What the next word is: `secret`, `user` (and a password after a colon), `any` for a bare name, or nothing."""
    if word in _SETTINGS or word in _PASSWORD_OPTIONS.get(program, ()):
        return "secret"
    if word.startswith("-"):
        return _behind_option(word, program)
    if not "A" <= word[:1] <= "Z" or "=" in word or "[redacted " in word:
        return ""
    named = word.rstrip(":")
    return "any" if _BARE.fullmatch(named) and names_a_secret(named) else ""


def _behind_option(word: str, program: str) -> str:
    if word in _USERS:
        return "user"
    if word == "-p":
        return "" if program in _ANOTHER_P else "password"
    named = "=" not in word and "[redacted " not in word and names_a_secret(word)
    return "secret" if named else ""


def _is_value(word: str, expects: str) -> bool:
    if expects == "any":
        return not _VARIABLE.fullmatch(word) and not word.startswith("-")
    return not _OPTION.fullmatch(word)


def _hidden(word: str, expects: str) -> str:
    if MARKED.fullmatch(word) or (expects in ("password", "user") and _PLAIN.fullmatch(word)):
        return word
    if expects == "user" and ":" not in word and "%" not in word:
        return word
    return MARK


def _joined(word: str, program: str) -> str:
    if not word.startswith("-"):
        return word
    given, equals, value = word.partition("=")
    if given == "--from-literal" and "=" in value:
        return f"{given}={value.partition('=')[0]}={MARK}"
    if equals and (given in _USERS or given == "-p"):
        return f"{given}={_hidden(value, _expected(given, program) or 'user')}"
    option, rest = word[:2], word[2:]
    if not rest or MARKED.match(rest):
        return word
    if option == "-p" and program in _JOINED:
        return option + MARK
    return option + MARK if option == "-u" and ":" in rest and not _PLAIN.fullmatch(rest) else word
