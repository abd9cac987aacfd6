"""One place for everything that is shown or stored: secrets out, control characters visible, sizes bounded."""

from __future__ import annotations

import functools
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from firebreak.core.first_few import and_more
from firebreak.core.secrets.command_lines import safe_words
from firebreak.core.secrets.in_text import without_secrets

LONGEST_TEXT = 2000
LONGEST_LIST = 50
LARGEST_RECORD = 200_000
_DEEPEST = 12
_BEYOND = 1000  # characters that are looked at beyond those that may be shown, for what redaction makes shorter
_LONGEST_QUOTED = 600  # a quoted secret of several words, with its name
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e01ef]"
)
_ESCAPED = re.compile(r"\\(?:u([0-9a-f]{4})|U([0-9a-f]{8}))")
_MORE = re.compile(r"… \([0-9]{1,12} more characters\)\Z")
_LONGEST_MORE = 40
_CUT = " more characters)"
"""How every text ends that was cut here, so that no other need be searched for that."""
_LAST = 0x10FFFF


class Named(str):
    """A text of our own words and of names that only their resource's form allows: shown whole, whatever it is called.

    A tag may be called `secret`, a revision `token-00001-abc`. It is escaped and bounded as every text is.
    """

    __slots__ = ()


_NAME = r"(?:LATEST|[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)"
_NAMES = re.compile(
    rf"(?:[a-z_]{{1,30}}\.){{1,4}}{_NAME}|{_NAME}(?:=[0-9]{{1,3}})?(?:,{_NAME}(?:=[0-9]{{1,3}})?){{0,200}}"
)


def named(text: str) -> str:
    """Names of tags and revisions, and shares of them, as what they are; any other text as it is."""
    return Named(text) if _NAMES.fullmatch(text) else text


def all_named(sentence: str, *parts: object) -> str:
    """A sentence of our own about these parts: shown whole if each of them is a name or no text at all."""
    return sentence if any(isinstance(one, str) and named(one) is one for one in parts) else Named(sentence)


def command_line(*words: str) -> str:
    """Words as they are typed into a shell, each without its secrets before it is quoted.

    What takes a secret out of a whole line, or cuts it, may take a quote along: what was within is typed then.
    """
    short = sum(map(len, words)) <= LONGEST_TEXT
    line = shlex.join([one if isinstance(one, Named) else without_secrets(one) for one in words]) if short else ""
    fits = short and len(_UNSAFE.sub(_visible, line)) <= LONGEST_TEXT
    return Named(line if fits else "# this line is too long to be shown")


def safe(text: str, limit: int = LONGEST_TEXT) -> str:
    """Redact, escape and bound a text to about `limit` characters; doing so twice changes nothing more."""
    if type(text) is str and len(text) <= limit and not text.endswith(_CUT):
        whole = _shown(text)
        if len(whole) <= limit:
            return whole
    if isinstance(text, Named):
        shown = _UNSAFE.sub(_visible, text)
        return Named(
            shown if len(shown) <= limit + _LONGEST_MORE else f"{shown[:limit]}… ({len(shown) - limit} more characters)"
        )
    more = _MORE.search(text, max(0, len(text) - _LONGEST_MORE))
    if more and len(text) <= limit + _LONGEST_MORE:
        # Cut before, or pretending to be: what is left of it is looked at again, and not cut again.
        return _shown(text[: more.start()]) + more[0]
    scanned = limit + _BEYOND
    shown = _shown(text[:scanned])
    unseen = max(0, len(text) - scanned)
    if unseen:
        # Of the last words only the beginning was looked at, and a secret is not known by its beginning.
        shown = shown[: max(0, len(shown) - _LONGEST_QUOTED)].rpartition(" ")[0]
    dropped = max(0, len(shown) - limit) + unseen
    return f"{shown[:limit]}… ({dropped} more characters)" if dropped else shown


@functools.lru_cache(maxsize=1024)
def _shown(text: str) -> str:
    """Escapes that were made here before are undone first, so that what was made safe is read as it was then.

    The same texts come at every save of a record and in all that is told of it, so that they are remembered.
    """
    return _UNSAFE.sub(_visible, without_secrets(_ESCAPED.sub(_unescaped, text)))


def _unescaped(found: re.Match[str]) -> str:
    code = int(found[1] or found[2], 16)
    letter = chr(code) if code <= _LAST else ""
    return letter if letter and _UNSAFE.match(letter) and _visible_of(letter) == found[0] else found[0]


def _visible(found: re.Match[str]) -> str:
    return _visible_of(found[0])


def _visible_of(letter: str) -> str:
    code = ord(letter)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - the last of the basic plane


def safe_value(value: object, depth: int = 0) -> Any:  # noqa: ANN401 - JSON
    """The same for nested JSON: texts safe, lists cut with the count of the rest, depth bounded."""
    if isinstance(value, str):
        return safe(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth >= _DEEPEST:
        return "… (nested too deep)"
    if isinstance(value, Mapping):
        return {
            safe(key if isinstance(key, str) else str(key), 200): safe_value(one, depth + 1)
            for key, one in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        items = list(value) if isinstance(value, list | tuple) else sorted(value, key=str)
        kept = [safe_value(one, depth + 1) for one in without_secret_words(items[:LONGEST_LIST])]
        return [*kept, *(f"… {more}" for more in and_more(len(items), LONGEST_LIST))]
    return safe(str(value))


def safe_texts(value: object) -> Any:  # noqa: ANN401 - JSON
    """Nested JSON with every text in it safe, and nothing cut or left out: it still loads as what it was."""
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, Mapping):
        return {key: safe_texts(one) for key, one in value.items()}
    return [safe_texts(one) for one in without_secret_words(value)] if isinstance(value, list) else value


def without_secret_words(items: Sequence[object]) -> list[object]:
    """A list, without the texts in it that are secrets because of the one before them, as in a list of arguments."""
    said = safe_words([one if isinstance(one, str) else "" for one in items])
    return [new if isinstance(one, str) and one != new else one for one, new in zip(items, said, strict=True)]


_KEPT = ("id", "phase", "plan", "decision", "created", "updated")


def bounded_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record of at most 200 kB: the largest parts that may go are replaced by their size and named under `cut`."""
    whole: dict[str, Any] = safe_value(record)
    cut: list[str] = list(whole.get("cut", ()))
    while _size(whole) > LARGEST_RECORD:
        largest = max((key for key in whole if key not in (*_KEPT, "cut")), key=lambda key: _size(whole[key]))
        if _size(whole[largest]) < 100:  # noqa: PLR2004 - nothing left worth cutting
            break
        part = whole[largest]
        whole[largest] = part[: len(part) // 2] if isinstance(part, list) and len(part) > 1 else None
        cut.append(largest)
        whole["cut"] = sorted(set(cut))
    return whole


def _size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())
