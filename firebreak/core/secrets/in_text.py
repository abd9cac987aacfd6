"""Secrets found in a text: by what their provider makes them look like, by the name before them, by their place.

Every pattern begins at a literal, gives nothing back that it took (`++`), and is not tried where its literal is not in
the text: hostile text costs time in proportion to its length.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Iterator
from itertools import compress

from firebreak.core.secrets.command_lines import MARK, MARKED, safe_line
from firebreak.core.secrets.names import names_a_secret
from firebreak.core.secrets.shapes import ALPHABETS, ENCODED, ODD_SHAPES, SHAPES

_UNSEEN = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
_LONGEST_VALUE = 4000
_MOST_TIMES = 6
_NO_SECRETS = frozenset({"true", "false", "null", "none", "undefined"})
_ASSIGNED = re.compile(
    r"(?<![\w.-])-{0,2}([^\W\d][\w.-]*+)\\{0,3}(?:[\"']\]?)?\s{0,60}+(?:=>|:=|==?|:(?!//)|%3[AaDd])\s{0,60}+"
)
_PAIRED = re.compile(
    r"(?<!\w)(?:name|key|Name|Key)\\{0,3}[\"']?\s{0,3}[:=]\s{0,3}\\{0,3}[\"']?([\w.-]{1,100}+)\\{0,3}[\"']?\s{0,3},?\s{0,40}"
    r"\\{0,3}[\"']?(?:value|val|Value)\\{0,3}[\"']?\s{0,3}[:=]\s{0,3}"
)
_CALLED = re.compile(r"\(\s{0,3}[\"']([\w.-]{1,100}+)[\"']\s{0,3},\s{0,3}")
_ELEMENT = re.compile(r"<([\w.-]{1,100}+)[^<>]{0,100}>")
_QUOTE = re.compile(r"\\{0,3}[\"']")
_BARE = re.compile(r"(?:[^\s\"',;&<>\\]++|\\(?![\"']))*+")
_NUMBER = re.compile(r"[0-9]{1,3}|.?.?", re.DOTALL)
_VARIABLE = re.compile(r"(?:[^\s\"'<>\\]++|\\(?![\"']))*+")
_LINE = re.compile(r"(?:[^\r\n\"'\\]++|\\(?![\"']))*+")
_LISTED = re.compile(r"\[(?!redacted )[^\]\r\n]*+")
_TEXT = re.compile(r"(?:<!\[CDATA\[[^\]]*+)?+[^<]*+")
_BLOCK = re.compile(r"[|>][+-]?[0-9]?[ \t]{0,8}\r?\n( {1,40}+)")
_ESCAPES = "nrtbf"
_BEFORE = r"(?:(?<![0-9A-Za-z])|(?<=\\[nrtbfv0])|(?<=%[0-9A-Fa-f]{2})|(?<=\\x[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4}))"
"""What stands before a token: no letter or digit, unless it is the end of an escape."""
_CREDENTIALS = re.compile(r"(?:Digest\s[^\r\n]*+|[A-Za-z][0-9A-Za-z-]{1,20}\s+(?!\[)[^\s\"',]++|[^\s\"',]++)")
_WHOLE = re.compile(r"(-{0,2}[^\W\d][\w.-]*+=)(\S++)\Z")
_USERINFO = re.compile(r"://([^\s/@\"'?#]{1,400}+)@")
_PLAIN_USER = re.compile(r"[A-Za-z_.-]{1,16}")


def without_secrets(text: str) -> str:
    """The text with a mark in the place of each secret; doing so twice changes nothing more.

    What stands against a secret may be known only once that is gone, so that it is looked at until nothing changes. A
    secret that odd letters or unseen ones in its name would hide is told in plain ones.
    """
    plain = text if text.isascii() else unicodedata.normalize("NFKC", _UNSEEN.sub("", text))
    if plain != text and (told := _looked_through(plain)) != plain:
        return told
    return _looked_through(text)


def _looked_through(text: str) -> str:
    for _ in range(_MOST_TIMES):
        before, text = text, _once(text)
        if text == before:
            break
    return text


def _once(text: str) -> str:
    literals, patterns = _patterns()
    for kind, pattern in compress(patterns, map(text.__contains__, literals)):
        text = pattern.sub(f"[redacted {kind}]", text)
    if "://" in text and "@" in text:
        text = _USERINFO.sub(_user, text)
    return safe_line(_without_named(text))


@functools.cache
def _patterns() -> tuple[tuple[str, ...], tuple[tuple[str, re.Pattern[str]], ...]]:
    """The literals, and the patterns in their order; made when first needed, which is not while the function starts."""
    found = (*_odd(), *_shaped(), *_schemes())
    return tuple(literal for literal, _, _ in found), tuple((kind, pattern) for _, kind, pattern in found)


def _odd() -> Iterator[tuple[str, str, re.Pattern[str]]]:
    key = r"PRIVATE KEY(?: BLOCK)?-----"
    yield (
        "PRIVATE KEY",
        "private key",
        re.compile(rf"-----BEGIN [0-9A-Z ]{{0,30}}{key}(?:[^-]++|-(?!----))*+(?:-----END [0-9A-Z ]{{0,30}}{key})?"),
    )
    yield "LS0tLS1CRUdJTi", "private key", re.compile(r"LS0tLS1CRUdJTi[0-9A-Za-z+/=_-]*+")
    yield (
        "eyJ",
        "JWT",
        re.compile(_BEFORE + r"eyJ[0-9A-Za-z_-]{8,}+\.[0-9A-Za-z_-]{8,}+(?:\.[0-9A-Za-z_-]*+){0,3}"),
    )
    for begins in ENCODED:
        yield begins, "encoded key", re.compile(rf"{begins}[0-9A-Za-z+/=_-]{{20,}}+")
    for kind, literal, pattern in ODD_SHAPES:
        yield literal, kind, re.compile(rf"{_BEFORE}{pattern}")


def _shaped() -> Iterator[tuple[str, str, re.Pattern[str]]]:
    for line in SHAPES.strip().splitlines():
        kind, literal, alphabet, fewest, *further = (part.strip() for part in line.split("|"))
        inside = f"[{ALPHABETS[alphabet]}]"
        tail = rf"(?:{re.escape(further[0])}{inside}++)*+" if further else ""
        yield literal, kind, re.compile(rf"{_BEFORE}{re.escape(literal)}{inside}{{{fewest},}}+{tail}")


def _schemes() -> Iterator[tuple[str, str, re.Pattern[str]]]:
    """What is said after a word for how it is to be used."""
    for literal in ("earer", "EARER", "asic", "ASIC", "SSWS"):
        pattern = r"(?i:\b(?:bearer|basic|ssws)\s+)[0-9A-Za-z+/_.=~-]{8,}+"
        yield literal, "authorization header", re.compile(pattern)
    yield "ogin", "netrc password", re.compile(r"(?<=login )\S{1,100}\s{1,3}password\s{1,3}(?!\[redacted )\S++")
    for literal in ("assword ", "ASSWORD "):
        pattern = r"(?i:\bpassword\s{1,3})(?:'[^']{1,500}'|\"[^\"]{1,500}\")"
        yield literal, "SQL password", re.compile(pattern)
    for literal in ("dentified", "DENTIFIED"):
        yield literal, "SQL password", re.compile(r"(?i:identified\s{1,3}by\s{1,3})(?:'[^']{1,500}'|\"[^\"]{1,500}\")")


def _user(found: re.Match[str]) -> str:
    """Name and password before a host, and what may be a token; a plain name such as `git` is neither."""
    plain = _PLAIN_USER.fullmatch(found[1]) or MARKED.fullmatch(found[1])
    return found[0] if plain else "://[redacted credentials]@"


def _without_named(text: str) -> str:
    if (whole := _WHOLE.match(text)) and names_a_secret(whole[1]):
        return whole[1] + _shown(whole[2])
    if ":" in text or "=" in text or "%3" in text:
        text = _replaced(text, _ASSIGNED, _value_end)
    if "(" in text:
        text = _replaced(text, _CALLED, _value_end)
    if "alue" in text or "val" in text:
        text = _replaced(text, _PAIRED, _value_end)
    return _replaced(text, _ELEMENT, lambda _, text, at: (at, _end(_TEXT, text, at))) if "</" in text else text


def _replaced(text: str, pattern: re.Pattern[str], value: Callable[[str, str, int], tuple[int, int]]) -> str:
    """The text with the values replaced that follow a secret's name."""
    parts, end = [], 0
    for found in pattern.finditer(text):
        if found.start() < end or not (name := _secret_name(text, found)) or _is_image(text, found):
            continue
        first, last = value(name, text, found.end())
        parts += [text[end:first], _shown(text[first:last])]
        end = last
    return "".join((*parts, text[end:]))


def _secret_name(text: str, found: re.Match[str]) -> str:
    """The name that was found, or what is left of it behind the letter of an escape; empty if it is no secret's."""
    names = [found[1]]
    if text[found.start() - 1 : found.start()] == "\\" and found[1][0] in _ESCAPES:
        names.insert(0, found[1][1:])
    return next((name for name in names if names_a_secret(name)), "")


def _is_image(text: str, found: re.Match[str]) -> bool:
    """Whether a name and a colon are the last part of an image's path, and a tag follows."""
    return text[found.start() - 1 : found.start()] == "/" and found[0].endswith(f"{found[1]}:")


def _shown(value: str) -> str:
    marked = MARKED.match(value)
    rest = value[marked.end() :] if marked else value
    if not rest.strip():
        return value
    return value if not marked and (_NUMBER.fullmatch(value) or value.lower() in _NO_SECRETS) else MARK


def _value_end(name: str, text: str, at: int) -> tuple[int, int]:
    """Where the value begins and ends that stands at this place."""
    if block := _BLOCK.match(text, at):
        return block.end(), _end(re.compile(rf"[^\r\n]*+(?:\r?\n{block[1]}[^\r\n]*+)*+"), text, block.end())
    if listed := _LISTED.match(text, at):
        return at + 1, listed.end()
    if quote := _QUOTE.match(text, at):
        end = _closing(text, quote[0], quote.end())
        return quote.end(), end
    if name.lower().endswith("cookie"):
        return at, _end(_LINE, text, at)
    marked = MARKED.match(text, at)
    if name.lower().endswith("authorization") and not marked:
        return at, _end(_CREDENTIALS, text, at)
    variable = name.isupper() and text[at - 1 : at] == "="
    return at, _end(_VARIABLE if variable else _BARE, text, marked.end() if marked else at)


def _closing(text: str, quote: str, at: int) -> int:
    """Where the quotation ends: at the same quote, not after a further backslash; else after as much as is bounded."""
    most = min(len(text), at + _LONGEST_VALUE)
    end = text.find(quote, at, most)
    while end > at and len(quote) == 1 and text[end - 1] == "\\":
        end = text.find(quote, end + 1, most)
    return most if end < 0 else end


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at
