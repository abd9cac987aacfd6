"""Reading the policy folder: every file, and every fault of every file at once.

`firebreak.yaml` is the config; each other YAML file holds one policy, or a list of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from firebreak.core.actions.action import Actions
from firebreak.core.diagnostics import Fault, FaultLog, Faults, Location, quoted
from firebreak.core.discovery import NONE_BROKEN
from firebreak.core.facts import Catalogue
from firebreak.core.mode import Mode
from firebreak.core.policy.condition import AllOf
from firebreak.core.policy.digest import policy_set
from firebreak.core.policy.policy import HOUR, Config, Files, OnExpiry, Policy, PolicySet, is_policy_file
from firebreak.core.policy.vocabulary import PolicyNamespace
from firebreak.policy_language.reading.conditions import read_condition
from firebreak.policy_language.reading.config import CONFIG_FILE, read_config
from firebreak.policy_language.reading.elsewhere import ON_EXPIRY as WORDS_ON_EXPIRY
from firebreak.policy_language.reading.elsewhere import POLICY_KEYS
from firebreak.policy_language.reading.examples import read_examples
from firebreak.policy_language.reading.nodes import (
    read_bool,
    read_keys,
    read_mode,
    read_placed_texts,
    read_seconds,
    read_text,
    read_word,
    require,
    wrong,
)
from firebreak.policy_language.reading.rules import (
    CONFIG_NAME,
    NOTHING_LISTED,
    TAKEN_ID,
    UNKNOWN_KEY,
    WRONG_VALUE,
)
from firebreak.policy_language.reading.steps import read_steps
from firebreak.policy_language.reading.yaml_reader import Entries, Items, Node, read_yaml

KEYS = (
    "id",
    "description",
    "mode",
    "shadow",
    "when",
    "then",
    "review_after",
    "release_after",
    "approve_within",
    "on_expiry",
    "notify",
    "examples",
)
_LISTS = ("policies", "rules", "firebreak")
REQUIRED = ("id", "mode", "when", "then", "examples")
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,79}")
ON_EXPIRY: dict[str, OnExpiry] = {"escalate": "escalate", "contain": "contain"}


@dataclass(frozen=True, slots=True)
class Reading:
    """What could be read: with faults, some of it may be missing or stand at its default."""

    policies: tuple[Policy, ...]
    config: Config
    faults: tuple[Fault, ...]

    @property
    def faultless(self) -> tuple[Policy, ...]:
        """The policies of files that have no fault."""
        faulty = {fault.at.file for fault in self.faults}
        return tuple(policy for policy in self.policies if policy.at.file not in faulty)


def parse_policies(
    files: Files, catalogue: Catalogue, actions: Actions, broken: Mapping[str, str] = NONE_BROKEN
) -> PolicySet:
    """Read the files by name, in order of name; files of other kinds are left alone. Raises Faults with all of them.

    A policy that names a source or an action that does not load is at fault, and is not left out for it: what it
    should have decided would fall to the policies below it.
    """
    read = read_policies(files, catalogue, actions, broken)
    if read.faults:
        raise Faults(read.faults)
    return policy_set(read.policies, read.config)


def read_policies(
    files: Files, catalogue: Catalogue, actions: Actions, broken: Mapping[str, str] = NONE_BROKEN
) -> Reading:
    """The same for who goes on with what is right: nothing that has a fault may decide anything."""
    names = sorted(filter(is_policy_file, files))
    logs = {file: FaultLog(file, files[file]) for file in names}
    config = _read_configs([logs[file] for file in names if is_config(file)], files)
    in_doubt = not config.sets and any(logs[file].faults for file in names)
    words = PolicyNamespace(catalogue, actions, None if in_doubt else config.sets, broken)
    policies: list[Policy] = []
    for file in names:
        if not is_config(file):
            policies += _policies(read_yaml(files[file], logs[file]), words, logs[file])
            _check_ids(policies, logs[file])
    return Reading(tuple(policies), config, tuple(fault for log in logs.values() for fault in log.faults))


def is_config(file: str) -> bool:
    """Whether a file is, or is meant to be, the config."""
    return PurePosixPath(file.lower()).stem == PurePosixPath(CONFIG_FILE).stem


def _read_configs(logs: list[FaultLog], files: Files) -> Config:
    """The config, read before the policies, which name its sets."""
    configs: list[tuple[FaultLog, Config]] = []
    for log in logs:
        root = read_yaml(files[log.file], log)
        _check_config_name(log.file, configs, log)
        configs.append((log, _config(root, log)))
    return configs[0][1] if configs else Config()


def _check_config_name(file: str, configs: list[tuple[FaultLog, Config]], log: FaultLog) -> None:
    if PurePosixPath(file).name != CONFIG_FILE:
        log.add(CONFIG_NAME, log.place(1, 1), f"the configuration is called {CONFIG_FILE}")
    elif configs:
        log.add(CONFIG_NAME, log.place(1, 1), f"there is another configuration, {configs[0][0].file}")


def _config(root: Node | None, log: FaultLog) -> Config:
    if root is None:
        _check_content(log)
        return Config()
    return read_config(root, log)


def _check_content(log: FaultLog) -> None:
    if not log.faults:
        log.add(NOTHING_LISTED, log.place(1, 1), "the file is empty")


def _policies(root: Node | None, words: PolicyNamespace, log: FaultLog) -> Iterator[Policy]:
    if root is None:
        _check_content(log)
    elif isinstance(root, Entries) and (listed := [one for one in root.pairs if one[0].text in _LISTS]):
        key, value = listed[0]
        log.add(
            UNKNOWN_KEY, key.at, f"a file is one policy or a list of them: leave the line {quoted(f'{key.text}:')} out"
        )
        yield from _policies(value, words, log) if isinstance(value, Items) else ()
    elif isinstance(root, Items):
        if not root.nodes:
            log.add(NOTHING_LISTED, root.at, "the list of policies is empty")
        for node in root.nodes:
            yield from _policy(node, words, log)
    else:
        yield from _policy(root, words, log)


def _policy(node: Node, words: PolicyNamespace, log: FaultLog) -> Iterator[Policy]:
    if not isinstance(node, Entries):
        wrong(node, "a policy", "a mapping", log)
        return
    facts = dict.fromkeys((one.lower() for one in words.catalogue), "a fact belongs below `when`, indented")
    last = {name.rpartition(".")[2]: told for name, told in facts.items()}
    keys = read_keys(node, "a policy", KEYS, log, {**last, **facts, **POLICY_KEYS}) or {}
    require(keys, REQUIRED, "a policy", node, log)
    policy_id = _id(keys, log) or ""
    when = read_condition(keys["when"], words, log) if "when" in keys else AllOf(())
    mode = read_mode(keys["mode"], "`mode`", log) if "mode" in keys else None
    description = read_text(keys["description"], "`description`", log) if "description" in keys else None
    then = read_steps(keys["then"], "`then`", words, log) if "then" in keys else ()
    on_expiry = (
        read_word(keys["on_expiry"], "`on_expiry`", ON_EXPIRY, log, WORDS_ON_EXPIRY) if "on_expiry" in keys else None
    )
    yield Policy(
        id=policy_id,
        description=description or "",
        mode=mode or Mode.MONITOR,
        when=when,
        then=then,
        at=keys["id"].at if "id" in keys else node.at,
        review_after=_seconds(keys, "review_after", log) or 4 * HOUR,
        release_after=_seconds(keys, "release_after", log),
        approve_within=_seconds(keys, "approve_within", log) or HOUR // 2,
        on_expiry=on_expiry or "escalate",
        notify=_notify(keys["notify"], log) if "notify" in keys else (),
        examples=read_examples(keys["examples"], policy_id, words, log) if "examples" in keys else (),
        shadow="shadow" in keys and bool(read_bool(keys["shadow"], "`shadow`", log)),
        places={key: value.at for key, value in keys.items()},
    )


def _id(keys: dict[str, Node], log: FaultLog) -> str | None:
    text = read_text(keys["id"], "`id`", log) if "id" in keys else None
    if text is not None and not ID.fullmatch(text):
        plain = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-.")[:80]
        message = "`id` is up to 80 letters, digits, hyphens, dots and underscores"
        log.add(WRONG_VALUE, keys["id"].at, message, plain if ID.fullmatch(plain) else None)
    return text


def _check_ids(policies: list[Policy], log: FaultLog) -> None:
    first: dict[str, Location] = {}
    for policy in policies:
        at = first.setdefault(policy.id, policy.at)
        if policy.id and at != policy.at and policy.at.file == log.file:
            log.add(TAKEN_ID, policy.at, f"the id {quoted(policy.id)} is taken by the policy at {at}")


def _seconds(keys: dict[str, Node], key: str, log: FaultLog) -> int | None:
    return read_seconds(keys[key], quoted(key), log) if key in keys else None


def _notify(node: Node, log: FaultLog) -> tuple[str, ...]:
    if isinstance(node, Entries):
        instead = "write labels, as [oncall], which `notify` in firebreak.yaml leads to channels"
        wrong(node, "`notify`", "a list", log, instead)
        return ()
    labels = read_placed_texts(node, "`notify`", log) or ()
    for label, place in labels:
        if not LABEL.fullmatch(label):
            log.add(
                WRONG_VALUE,
                place.at,
                f"{quoted(label)} is not a label: use letters, digits, hyphens, dots, underscores and @",
                bare if LABEL.fullmatch(bare := "-".join(label.lstrip("#@").split())) else None,
            )
    return tuple(label for label, _ in labels)
