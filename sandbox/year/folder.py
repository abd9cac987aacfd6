"""A folder with the year in it: the ledger, the history, and the policies in a git repository of their own."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from firebreak.adapters.storage.key_file import seal_keys
from firebreak.adapters.storage.ledger_store import documents_of
from firebreak.backtest.pulled import line_of
from firebreak.core.errors import Refused
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.record import record
from firebreak.core.incidents.size_limit import fit_to_size_limit
from firebreak.core.policy.policy import PolicySet
from firebreak.core.signing import Seal
from firebreak.core.timestamps import nanos_of
from firebreak.ledger.ledger import Ledger
from firebreak.policy_folder import read_folder, read_yaml_policies
from firebreak.settings import read_settings
from sandbox.practice import ENVIRONMENT, ROOT, own_settings
from sandbox.year.recipe import begin_of, findings, read_recipe
from sandbox.year.records import incident, scc_finding

_AT_ONCE = 100
"""Incidents in one commit of the ledger."""


def open_year(folder: Path) -> str:
    """Make the folder; what to type next. Raises Refused where it exists."""
    if folder.exists():
        message = f"{folder}: it exists already; name a folder that does not"
        raise Refused(message)
    place, recipe = folder.resolve(), read_recipe()
    sets = dict(write_policies(place / "policies", recipe))
    own = own_settings(place)
    kept = write_history(place, recipe, sets)
    ledger_of(own, nanos_of(begin_of(recipe["weeks"] + 1, recipe)), kept)
    exports = (f"export {key}={shlex.quote(value)}\n" for key, value in own.items())
    (place / ENVIRONMENT).write_text("".join(exports), encoding="utf-8")
    return f"{folder}: a year of a shop, with {len(findings(recipe))} findings\n  source {folder}/{ENVIRONMENT}"


def write_policies(folder: Path, recipe: Mapping[str, Any]) -> Iterator[tuple[str, PolicySet]]:
    """Each set as it was written down, with a commit for each where git is at hand; the last one stays."""
    shutil.copytree(ROOT / "policies", folder, ignore=shutil.ignore_patterns("starter"))
    _git(folder, "init", "-q", "-b", "main")
    for key, told in recipe["sets"].items():
        for name, changes in told["replace"].items():
            text = (folder / name).read_text(encoding="utf-8")
            for old, new in changes.items():
                if old not in text:
                    message = f"{name} has no {old!r}, which set {key} replaces"
                    raise ValueError(message)
                text = text.replace(old, new, 1)
            (folder / name).write_text(text, encoding="utf-8")
        at = begin_of(told["from"], recipe).isoformat()
        person = {"NAME": told["by"], "EMAIL": f"{told['by'].lower()}@shop.example", "DATE": at}
        known = {f"GIT_{role}_{what}": one for role in ("AUTHOR", "COMMITTER") for what, one in person.items()}
        _git(folder, "add", ".")
        _git(folder, "-c", "commit.gpgsign=false", "commit", "--no-verify", "-qm", told["why"], known=known)
        yield key, read_yaml_policies(read_folder(folder))


def write_history(place: Path, recipe: Mapping[str, Any], sets: Mapping[str, PolicySet]) -> list[Incident]:
    """`history.jsonl`, as `firebreak history pull` would have it; the incidents that it has records of."""
    kept = []
    with (place / "history.jsonl").open("w", encoding="utf-8") as file:
        for one in findings(recipe):
            if one.policy_set == "scc":
                file.write(line_of(scc_finding(one, recipe)))
                continue
            made = incident(one, recipe, sets[one.policy_set])
            kept.append(made)
            file.write(line_of(json.loads(json.dumps(record(made)))))
    return kept


def ledger_of(own: Mapping[str, str], now_ns: int, kept: list[Incident]) -> None:
    """A sealed ledger of them, at the place that these settings name; the last touched is saved last."""
    settings = read_settings(own)
    ledger = Ledger(documents_of(settings), "", lambda: now_ns, Seal(seal_keys(settings)))
    kept = sorted(kept, key=lambda one: one.updated_ns)
    for first in range(0, len(kept), _AT_ONCE):
        some = map(fit_to_size_limit, kept[first : first + _AT_ONCE])
        ledger.commit(*(ledger.incident_save(one, encoded, None) for one, encoded in some))


def _git(folder: Path, *words: str, known: Mapping[str, str] | None = None) -> None:
    """Where git is at hand, in the folder's own repository: not in one whose hook has started us."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    if git := shutil.which("git"):
        subprocess.run([git, *words], cwd=folder, env={**own, **(known or {})}, check=True)  # noqa: S603 - our own words
