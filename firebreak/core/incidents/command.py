"""What people and schedulers tell Firebreak to do, as a message: validated as a whole before anything is done."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from firebreak.core.cloud_run.target import Target, parse_resource
from firebreak.core.errors import Malformed
from firebreak.core.incidents.phase import CLOSED_AS
from firebreak.core.secrets.redaction import safe

# Verb to the fields it needs beside `by`; those in brackets may be left out.
_FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "approve": ("incident", "[digest]"),
        "reject": ("incident", "[digest]", "[reason]"),
        "release": ("incident", "[leave]", "[digest]"),
        "retry": ("incident", "[reason]"),
        "review": ("incident",),
        "close": ("incident", "[digest]", "[closed_as]", "[reason]", "[keep]"),
        "sweep": (),
        "halt": ("reason",),
        "resume": ("[halt]",),
        "drill": ("canary", "uid"),
    }
)
VERBS = tuple(_FIELDS)
_GIVEN = ("incident", "reason", "digest", "closed_as", "halt", "leave", "keep", "canary", "uid")
IDENTITY = re.compile(r"[A-Za-z0-9._~-]{1,100}")
"""What ids are made of, so that each is one word wherever it is typed."""
_DIGEST = re.compile(r"[0-9a-f]{8,64}")
_HALT = re.compile(r"[0-9]{1,20}")
_LETTERS = re.compile(r"[^\W\d_]+")
_LIKE_LATIN = frozenset({"ARMENIAN", "CHEROKEE", "CYRILLIC", "GREEK"})
"""Alphabets with letters that look like Latin ones, by their names in Unicode."""
LONGEST_WHO, LONGEST_REASON = 100, 500


@dataclass(frozen=True, slots=True)
class Command:
    """One command from a person or the scheduler.

    Attributes:
        id: the same command keeps its id, however often it is delivered.
        verb: one of VERBS.
        by: who gave it, as the sender claims.
        incident: id of the incident it is about; empty for sweep, halt and resume.
        reason: the person's own words; may be empty.
        digest: digest of the plan that the person saw, or its beginning; empty if not given.
        closed_as: one of CLOSED_AS; empty if not given.
        halt: when the halt that is to be lifted was set, nanoseconds since 1970, as text; empty if not given.
        leave: settings that a release gives up, one a line; empty if not given.
        canary: full resource name of the service that a drill has deployed; empty for any other command.
        uid: that service's own identity at Google; empty for any other command.
        keep: `yes` where a close leaves the containment as it stands; else empty.
        sent_ns: when the command was given, nanoseconds since 1970; None where its envelope does not say.
    """

    id: str
    verb: str
    by: str
    incident: str = ""
    reason: str = ""
    digest: str = ""
    closed_as: str = ""
    halt: str = ""
    leave: str = ""
    canary: str = ""
    uid: str = ""
    keep: str = ""
    sent_ns: int | None = None

    def message(self) -> bytes:
        """The body of the Pub/Sub message that gives this order."""
        given = {key: getattr(self, key) for key in _GIVEN if getattr(self, key)}
        return json.dumps({"id": self.id, "command": self.verb, "by": self.by, **given}).encode()


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What became of a command: done or not, a sentence that says so, and the incident it was about.

    `unreached`: it is not done, or not all of it, because something needed could not be reached.
    """

    done: bool
    says: str
    incident: str = ""
    unreached: bool = False


def kept_answer(body: Mapping[str, Any]) -> CommandResult | None:
    """The answer that the ledger keeps in a command's record, or None while there is none."""
    answer = body.get("answer")
    if not isinstance(answer, Mapping):
        return None
    says, incident = str(answer.get("says", "")), str(answer.get("incident", ""))
    return CommandResult(answer.get("done") is True, says, incident, answer.get("unreached") is True)


def parse_command(data: bytes, message_id: str, sent_ns: int | None = None) -> Command:
    """Read the body of a message; raises Malformed, which names every fault.

    A command without an id gets `message_id`, which is Pub/Sub's. `sent_ns`: nanoseconds since 1970, None if unknown.
    """
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        message = "the command is not a JSON object"
        raise Malformed(message)
    faults = list(_faults(body))
    if faults:
        raise Malformed("; ".join(faults))
    return Command(
        id=_word(body, "id") or message_id,
        verb=_word(body, "command"),
        by=safe(_word(body, "by") or "the scheduler", LONGEST_WHO),
        incident=_word(body, "incident"),
        reason=safe(_word(body, "reason"), LONGEST_REASON),
        digest=_word(body, "digest").lower(),
        closed_as=_word(body, "closed_as"),
        halt=_word(body, "halt"),
        leave=_word(body, "leave"),
        canary=_word(body, "canary"),
        uid=_word(body, "uid"),
        keep=_word(body, "keep"),
        sent_ns=sent_ns,
    )


def _faults(body: Mapping[str, Any]) -> list[str]:
    verb = _word(body, "command")
    if verb not in _FIELDS:
        return [f"there is no command {safe(verb, 50)!r}; the commands are {', '.join(VERBS)}"]
    known = {field.strip("[]") for field in _FIELDS[verb]} | {"id", "command", "by"}
    faults = [f"{verb} does not take {safe(str(key), 50)!r}" for key in sorted(body.keys() - known, key=str)]
    faults += [f"{key} is not text" for key in sorted(known & body.keys()) if not isinstance(body[key], str)]
    needed = [field for field in _FIELDS[verb] if not field.startswith("[")] + (["by"] if verb != "sweep" else [])
    faults += [f"{verb} needs {field}" for field in needed if not _word(body, field)]
    return faults + [what for what, wrong in _wrong_values(body).items() if wrong]


def _wrong_values(body: Mapping[str, Any]) -> Mapping[str, bool]:
    incident, digest, closed_as = _word(body, "incident"), _word(body, "digest"), _word(body, "closed_as")
    halt, wrong = _word(body, "halt"), wrong_name(_word(body, "by"))
    return {
        "incident is not an incident id": bool(incident) and not IDENTITY.fullmatch(incident),
        **{f"{key} is not a valid identifier": _no_identity(_word(body, key)) for key in ("id", "uid")},
        "canary is not the full name of a Cloud Run service": _no_service(_word(body, "canary")),
        "digest is not 8 to 64 hex digits": bool(digest) and not _DIGEST.fullmatch(digest.lower()),
        f"closed_as must be one of {', '.join(CLOSED_AS)}": bool(closed_as) and closed_as not in CLOSED_AS,
        "keep must be yes, with closed_as true_positive": _word(body, "keep") not in ("", "yes")
        or (bool(_word(body, "keep")) and closed_as not in ("", "true_positive")),
        "halt is not the time of a halt, in nanoseconds since 1970": bool(halt) and not _HALT.fullmatch(halt),
        f"by must name a person: {wrong}": bool(wrong),
    }


def _no_identity(word: str) -> bool:
    return bool(word) and not IDENTITY.fullmatch(word)


def _no_service(word: str) -> bool:
    found = parse_resource(word) if word else None
    return found is not None and not (isinstance(found, Target) and found.kind == "service" and not found.named)


def wrong_name(name: str) -> str:
    """Why nobody may have this name, as a sentence: it is Firebreak's own, or could be read as another; else empty."""
    seen = "".join(sign for sign in unicodedata.normalize("NFKC", name) if unicodedata.category(sign) != "Cf")
    if seen.casefold() == "firebreak":
        return "the name firebreak stands for Firebreak itself"
    for word in _LETTERS.findall(seen):
        alphabets = {unicodedata.name(letter, "").partition(" ")[0] for letter in word}
        if "LATIN" in alphabets and alphabets & _LIKE_LATIN:
            return f"{safe(word)} mixes letters of two alphabets that look alike"
    return ""


def _word(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    # Half a letter can be written in JSON, and be kept nowhere.
    return value.strip().encode(errors="replace").decode() if isinstance(value, str) else ""
