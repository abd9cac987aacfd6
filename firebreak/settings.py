"""The only reader of the environment: every setting, checked at start, all faults at once."""

from __future__ import annotations

import difflib
import os
import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from firebreak.core.cloud_run.target import NotATarget, parse_resource
from firebreak.core.mode import MODES, Ceiling, Mode
from firebreak.core.web_address import is_loopback, is_safe
from firebreak.places import FILE, FIRESTORE, SQLITE, bad_paths, own_ledger, state_folder

_EMULATORS = (
    "CLOUD_RUN_EMULATOR_HOST",
    "SECURITY_CENTER_EMULATOR_HOST",
    "LOGGING_EMULATOR_HOST",
    "IAM_EMULATOR_HOST",
    "ADMIN_EMULATOR_HOST",
)
_GOOGLE_EMULATORS = ("PUBSUB_EMULATOR_HOST", "FIRESTORE_EMULATOR_HOST", "STORAGE_EMULATOR_HOST")
_VIRUSTOTAL = ("VIRUSTOTAL_API_KEY", "VIRUSTOTAL_HOST")
_WEBHOOKS = ("FIREBREAK_SLACK_WEBHOOK", "FIREBREAK_CHAT_WEBHOOK")
_TOPICS = ("FIREBREAK_INCIDENTS_TOPIC", "FIREBREAK_DEAD_LETTER_TOPIC", "FIREBREAK_COMMANDS_TOPIC")
NOTIFY = "FIREBREAK_NOTIFY_"
"""Before the names of the variables that hold the secrets of `firebreak.yaml`'s channels."""
_LISTS = ("FIREBREAK_SELF", "FIREBREAK_SEAL_KEY", "FIREBREAK_SCC_LOCATIONS")
_OWN = (
    "FIREBREAK_POLICIES",
    "FIREBREAK_LEDGER",
    "FIREBREAK_EVIDENCE",
    "FIREBREAK_CEILING",
    "FIREBREAK_SCC_MARKS",
    *_TOPICS,
    *_LISTS,
    *_WEBHOOKS,
)
_SHORTEST_KEY = 8
"""Characters. A shorter seal key can be guessed, and counts as none."""
_QUOTES = ('"', "'")
_EMPTY = string.whitespace + "".join(_QUOTES)
_LOCATION = re.compile(r"[a-z][a-z0-9-]{1,40}")
_TOPIC = re.compile(r"projects/[^/\s,]+/topics/[^/\s,]+")
Lend = Callable[[Mapping[str, str], Path], Mapping[str, str]]
"""From the environment and the user's state folder to more variables."""
ROOT = Path(__file__).resolve().parent.parent


class SettingsFault(Exception):
    """Settings that cannot be used; the text has one line for each."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says. `ceilings` are those that it sets, by wish or because the deployment is unsafe."""

    policies: Path
    ledger: str
    ledger_named: bool
    evidence: str
    ceilings: tuple[Ceiling, ...]
    incidents_topic: str | None
    dead_letter_topic: str | None
    commands_topic: str | None
    own: tuple[str, ...]
    virustotal_key: str | None
    virustotal_host: str | None
    emulators: Mapping[str, str]
    deployed: bool
    seal_keys: tuple[str, ...]
    state: Path
    marks: bool | None
    locations: tuple[str, ...]
    slack_webhook: str | None
    chat_webhook: str | None
    channel_secrets: Mapping[str, str]

    @property
    def ledger_path(self) -> Path:
        """Where the SQLite ledger lies."""
        return Path(self.ledger.removeprefix(SQLITE))

    @property
    def own_ledger(self) -> str:
        """The ledger of this machine and user, which is the one that is used where none is named."""
        return own_ledger(self.state)

    @property
    def ledger_database(self) -> tuple[str, str] | None:
        """Project and database of a Firestore ledger; None where the ledger is a SQLite file."""
        found = FIRESTORE.fullmatch(self.ledger)
        return (found["project"], found["database"]) if found else None


def read_settings(environment: Mapping[str, str] | None = None, *, lend: Lend | None = None) -> Settings:
    """Read and check the environment, by default this process's own; raises SettingsFault naming every fault.

    `lend` says what a person's machine knows where the environment is silent; deployed, it is not asked.
    """
    if environment is None:
        _lend_proxies()
    given = (os.environ if environment is None else environment).items()
    env = {key: parsed for key, value in given if (parsed := _parsed(key, value))}
    if lend and "K_SERVICE" not in env:
        env |= lend(env, state_folder(env))
    faults = [*_misspelt(env), *_quoted(env), *_not_loopback(env), *_bad_values(env), *_bad_secrets(env)]
    if faults:
        raise SettingsFault("\n".join(faults))
    state = state_folder(env)
    ledger = env.get("FIREBREAK_LEDGER") or own_ledger(state)
    return Settings(
        policies=Path(env["FIREBREAK_POLICIES"]) if "FIREBREAK_POLICIES" in env else ROOT / "policies",
        ledger=ledger,
        ledger_named="FIREBREAK_LEDGER" in env,
        evidence=env.get("FIREBREAK_EVIDENCE") or f"{FILE}{state / 'evidence'}",
        ceilings=tuple(_ceilings(env, ledger)),
        incidents_topic=env.get("FIREBREAK_INCIDENTS_TOPIC"),
        dead_letter_topic=env.get("FIREBREAK_DEAD_LETTER_TOPIC"),
        commands_topic=env.get("FIREBREAK_COMMANDS_TOPIC"),
        own=_list(env, "FIREBREAK_SELF"),
        virustotal_key=env.get("VIRUSTOTAL_API_KEY"),
        virustotal_host=env.get("VIRUSTOTAL_HOST"),
        emulators={name: env[name] for name in (*_EMULATORS, *_GOOGLE_EMULATORS) if name in env},
        deployed="K_SERVICE" in env,
        seal_keys=_seal_keys(env),
        state=state,
        marks={"on": True, "off": False}.get(env.get("FIREBREAK_SCC_MARKS", "")),
        locations=_list(env, "FIREBREAK_SCC_LOCATIONS") or ("global",),
        slack_webhook=env.get("FIREBREAK_SLACK_WEBHOOK"),
        chat_webhook=env.get("FIREBREAK_CHAT_WEBHOOK"),
        channel_secrets={name: value for name, value in env.items() if name.startswith(NOTIFY)},
    )


def _lend_proxies() -> None:
    """Spell the proxy's variables as gRPC reads them too, which is in small letters alone."""
    for name in ("https_proxy", "no_proxy"):
        if name.upper() in os.environ:
            os.environ.setdefault(name, os.environ[name.upper()])


def _parsed(name: str, value: str) -> str:
    """What the variable says; nothing where that is only blanks, quotes around nothing, or the commas of a list."""
    if name in _LISTS:
        return ",".join(part.strip() for part in value.split(",") if part.strip().strip(_EMPTY))
    return value.strip() if value.strip().strip(_EMPTY) else ""


def _list(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(env[name].split(",")) if name in env else ()


def _seal_keys(env: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(key for key in _list(env, "FIREBREAK_SEAL_KEY") if len(key) >= _SHORTEST_KEY)


def _quoted(env: Mapping[str, str]) -> list[str]:
    """Quotes that an env file has kept would be a part of the value; secrets are among these, so no value is shown."""
    ours = (*_OWN, *_EMULATORS, *_GOOGLE_EMULATORS, *_VIRUSTOTAL, *(one for one in env if one.startswith(NOTIFY)))
    return [
        f"{name}: the value has quotes around it, which are taken for a part of it: leave them out"
        for name in ours
        if any(part.startswith(_QUOTES) or part.endswith(_QUOTES) for part in _list(env, name))
    ]


def _misspelt(env: Mapping[str, str]) -> list[str]:
    """A variable that is nearly one of ours would silently be no setting at all."""
    faults = []
    for name in sorted(env):
        ours = name.startswith("FIREBREAK") and not name.startswith(NOTIFY)
        near = difflib.get_close_matches(name, _OWN, n=1, cutoff=0.85) if ours else []
        if near and name not in _OWN:
            faults.append(f"{name}: there is no such variable; {near[0]} is meant, it seems")
    return faults


def _not_loopback(env: Mapping[str, str]) -> list[str]:
    faults = [
        f"{name}={env[name]}: only host:port on loopback, because the channel is plain text"
        for name in _EMULATORS
        if name in env and (set("/?#") & set(env[name]) or not is_loopback(f"//{env[name]}"))
    ]
    host = env.get("VIRUSTOTAL_HOST")
    if host and not (host.startswith("http://") and is_loopback(host)):
        faults.append(f"VIRUSTOTAL_HOST={host}: only http://127.0.0.1:PORT, because the key would travel there")
    return faults


def _bad_values(env: Mapping[str, str]) -> list[str]:
    faults = []
    if env.get("FIREBREAK_CEILING", "monitor") not in MODES:
        faults.append(f"FIREBREAK_CEILING={env['FIREBREAK_CEILING']}: one of {', '.join(MODES)}")
    if env.get("FIREBREAK_SCC_MARKS", "on") not in ("on", "off"):
        faults.append(f"FIREBREAK_SCC_MARKS={env['FIREBREAK_SCC_MARKS']}: on or off")
    places = [one for one in _list(env, "FIREBREAK_SCC_LOCATIONS") if not _LOCATION.fullmatch(one)]
    faults += [f"FIREBREAK_SCC_LOCATIONS: {one}: a location of findings, such as global or eu" for one in places]
    read = {name: parse_resource(name) for name in _list(env, "FIREBREAK_SELF")}
    faults += [f"FIREBREAK_SELF: {name}: {one.reason}" for name, one in read.items() if isinstance(one, NotATarget)]
    faults += bad_paths(env)
    faults += [
        f"{name}={env[name]}: projects/PROJECT/topics/TOPIC"
        for name in _TOPICS
        if name in env and not _TOPIC.fullmatch(env[name])
    ]
    return faults


def _bad_secrets(env: Mapping[str, str]) -> list[str]:
    """What is wrong with values that must not be shown."""
    return [
        f"{name}: this is no webhook: https://HOST/…, all in ASCII, as the chat shows it (http on loopback alone)"
        for name in _WEBHOOKS
        if name in env and not is_safe(env[name])
    ]


def _ceilings(env: Mapping[str, str], ledger: str) -> list[Ceiling]:
    word = env.get("FIREBREAK_CEILING", "monitor")
    wish = "FIREBREAK_CEILING is not set" if "FIREBREAK_CEILING" not in env else f"FIREBREAK_CEILING is {word}"
    ceilings = [Ceiling(MODES[word], wish)]
    if "K_SERVICE" in env:
        unsafe = [f"{name} is set" for name in (*_EMULATORS, *_GOOGLE_EMULATORS, "VIRUSTOTAL_HOST") if name in env]
        unsafe += ["the ledger is a local file"] if ledger.startswith("sqlite:") else []
        unsafe += [] if env.get("FIREBREAK_EVIDENCE", "file:").startswith("gs://") else ["the vault is a local folder"]
        unsafe += [] if "FIREBREAK_SELF" in env else ["FIREBREAK_SELF is not set"]
        short = f"has no key of {_SHORTEST_KEY} characters or more"
        key = short if "FIREBREAK_SEAL_KEY" in env else "is not set"
        unsafe += [] if _seal_keys(env) else [f"FIREBREAK_SEAL_KEY {key}"]
        ceilings += [Ceiling(Mode.MONITOR, f"deployed, and {reason}") for reason in unsafe]
    return ceilings
