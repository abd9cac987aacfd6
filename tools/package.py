"""Packs what the functions need into dist/firebreak.zip: the same tree gives the same bytes, on any machine.

The policies are in it twice: as YAML, which counts, and compiled, so that a function that starts reads no YAML.

Beside it stands dist/firebreak.json, which Terraform reads: what is in the archive, and what it may lead to.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import io
import json
import os
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pathspec

import enrichment
import responders
from firebreak import VERSION
from firebreak.archive import FILE
from firebreak.core.diagnostics import Faults
from firebreak.core.findings.detectors import CATEGORIES
from firebreak.core.mode import Mode
from firebreak.core.policy.category_index import values_named
from firebreak.core.policy.compiled import compiled
from firebreak.core.policy.policy import CATEGORY, CLASS, PolicySet, Step, is_policy_file
from firebreak.core.policy.selection import could_match
from firebreak.policy_folder import COMPILED, broken_plugins, policy_files, policy_text, read_yaml_policies
from firebreak.policy_language.lint.conditions import LintContext
from firebreak.policy_language.lint.lint import in_full
from firebreak.policy_language.lint.steps import failing_in_use
from firebreak.policy_language.reading.sample_facts import EXAMPLES_NOW
from firebreak.policy_language.testing.example_findings import findings_of
from firebreak.policy_language.testing.examples import run_examples

ROOT = Path(__file__).resolve().parent.parent
CONFIG_FILE = "policies/firebreak.yaml"
EXAMPLE_ORGANIZATION = "123456789012"  # what the shipped firebreak.yaml names: nobody's
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can say
MODE = 0o100644 << 16
WITHOUT_CONFIG = """\
package: WITHOUT firebreak.yaml, because the shipped one names nobody's organization: findings are recorded, no more.
         With your own policies and firebreak.yaml: make package POLICIES=path/to/folder"""
INDEX = re.compile(r"https://[A-Za-z0-9.:-]+(/[\w./~%+-]*)?", re.ASCII)
DECORATORS = ("cloud_event", "http", "typed")


class Unpackable(Exception):
    """The archive would not do what it is for."""


@dataclass(frozen=True, slots=True)
class Package:
    """The archive's files by their names in it, and the policies among them as they were read."""

    files: Mapping[str, bytes]
    policies: PolicySet
    index: str | None = None


def collect(policies: Path | None, index: str | None = None) -> Package:
    """All that is deployed, with the YAML files of `policies` in place of the shipped ones; raises Unpackable.

    `index` is the package index that the functions are built from, in place of pip's own.
    """
    files = {name: (ROOT / name).read_bytes() for name in deployed(ROOT)}
    if index is not None:
        files["requirements.txt"] = f"--index-url {_checked(index)}\n".encode() + files["requirements.txt"]
    if policies is not None:
        files = {name: data for name, data in files.items() if not name.startswith("policies/")}
        files |= {f"policies/{path.name}": _bytes(path) for path in policy_files(policies)}
    loaded = _loaded(files, policies)
    if loaded.config.organization == EXAMPLE_ORGANIZATION:
        # With it the function would turn every finding away, as another organization's.
        if policies is not None:
            message = (
                f"{policies / 'firebreak.yaml'} names the example organization {EXAMPLE_ORGANIZATION}: write yours"
            )
            raise Unpackable(message)
        del files[CONFIG_FILE]
        loaded = _loaded(files, policies)
    files[f"policies/{COMPILED}"] = compiled(loaded, policy_texts(files, policies)).encode()
    files[FILE] = f'{{"contents": "{contents(files)}"}}\n'.encode()
    return Package(dict(sorted(files.items())), loaded, index)


def contents(files: Mapping[str, bytes]) -> str:
    """A digest of these files and their names, whatever zip they come to lie in."""
    listed = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items()) if name != FILE}
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()


def _checked(index: str) -> str:
    if not INDEX.fullmatch(index):
        message = f"the package index {index!r} is no https:// address without a name and a password in it"
        raise Unpackable(message)
    return index


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        message = f"{path} cannot be read: {fault.strerror}"
        raise Unpackable(message) from None


def deployed(root: Path) -> Iterator[str]:
    """The files below `root` that .gcloudignore lets through."""
    ignored = pathspec.GitIgnoreSpec.from_lines((root / ".gcloudignore").read_text().splitlines())
    for folder, folders, names in os.walk(root):
        below = Path(folder).relative_to(root)
        folders[:] = [name for name in folders if not ignored.match_file(f"{(below / name).as_posix()}/")]
        paths = ((below / name).as_posix() for name in names)
        yield from (path for path in paths if not ignored.match_file(path))


def policy_texts(files: Mapping[str, bytes], folder: Path | None) -> dict[str, str]:
    """The policy files among those of the archive, as the function reads them, by the names that people give them."""
    base = Path("policies")
    return {
        str((folder or base) / path.name): policy_text(data)
        for path, data in ((Path(name), data) for name, data in files.items())
        if path.parent == base and is_policy_file(path.name)
    }


def _loaded(files: Mapping[str, bytes], folder: Path | None) -> PolicySet:
    """The policies as the function will load them, with every action tried and every example run; raises Unpackable."""
    texts, actions, catalogue = policy_texts(files, folder), responders.discover(), enrichment.catalogue()
    try:
        loaded = read_yaml_policies(texts)
    except Faults as fault:
        message = f"the policies do not load, and the function would not start:\n{fault}"
        raise Unpackable(message) from None
    if steps := list(failing_in_use(loaded.policies, actions, LintContext(catalogue, EXAMPLES_NOW))):
        message = f"steps are at fault, and would not do what they are there for:\n{Faults(in_full(steps, texts))}"
        raise Unpackable(message)
    findings = findings_of(loaded.policies, Path() if folder else ROOT, enrichment.discover())
    failed = [str(one) for one in run_examples(loaded.policies, catalogue, findings) if not one.passed]
    if failed or not loaded.policies:
        message = "\n".join(failed) or f"there is no policy in {folder}"
        raise Unpackable(message)
    return loaded


def entry_points(source: str) -> tuple[str, ...]:
    """The functions that functions-framework can serve: those that carry one of its decorators."""
    served = {f"functions_framework.{kind}" for kind in DECORATORS}
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    return tuple(one.name for one in functions if served & {ast.unparse(mark) for mark in one.decorator_list})


def categories(policies: PolicySet) -> list[str]:
    """The finding categories that some policy could match, among Cloud Run's detectors and those that policies name."""
    named = {value for policy in policies.policies for value in values_named(CATEGORY, policy.when) or ()}
    facts = ({CATEGORY: category} for category in sorted(named | CATEGORIES.keys()))
    return [one[CATEGORY] for one in facts if could_match(policies.open_to(one), one)]


def classes(policies: PolicySet) -> list[str]:
    """The finding classes of which some policy could match a finding of whatever category: also of a new detector.

    THREAT, and what such policies name themselves.
    """
    wide = [one for one in policies.policies if values_named(CATEGORY, one.when) is None]
    named = {value for one in wide for value in values_named(CLASS, one.when) or ()}
    return [one for one in sorted({"THREAT", *named}) if could_match(wide, {CLASS: one})]


def actions(policies: PolicySet) -> list[str]:
    """The actions that some policy could carry out, fallbacks too; what only monitoring or shadow names never is."""
    acting = (policy for policy in policies.deciding if policy.mode > Mode.MONITOR)
    return sorted({one.action for policy in acting for one in _with_fallbacks(policy.then)})


def _with_fallbacks(steps: Iterable[Step]) -> Iterator[Step]:
    for one in steps:
        yield one
        yield from _with_fallbacks(one.otherwise)


def archive(files: Mapping[str, bytes]) -> bytes:
    """A zip of these files. Stored, not compressed: versions of zlib differ, and the archive is named by its hash."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as zipped:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = 3  # Unix, wherever it is made
            entry.external_attr = MODE
            zipped.writestr(entry, data)
    return written.getvalue()


def manifest(package: Package, zipped: bytes) -> dict[str, object]:
    """What Terraform checks and derives from: nothing secret, and nothing that changes while the archive does not."""
    config = package.policies.config
    return {
        "version": VERSION,
        "sha256": hashlib.sha256(zipped).hexdigest(),
        "contents": contents(package.files),
        "entry_points": list(entry_points(package.files["main.py"].decode())),
        "organization": config.organization,
        "ceiling": config.ceiling.word,
        "package_index": package.index,
        "policy_set": package.policies.digest,
        "categories": categories(package.policies),
        "classes": classes(package.policies),
        "actions": actions(package.policies),
    }


def main() -> int:
    """Write archive and manifest; exit 1 with the reason where that cannot be."""
    parser = argparse.ArgumentParser(description="Pack what is deployed.")
    parser.add_argument("--policies", type=Path, help="a folder to take instead of policies/")
    parser.add_argument("--index", help="https:// address of the package index that the functions are built from")
    parser.add_argument("--to", type=Path, default=ROOT / "dist", help="the folder to write to (dist)")
    given = parser.parse_args()
    if given.policies is not None and not given.policies.is_dir():
        print(f"package: {given.policies} is not a folder", file=sys.stderr)
        return 1
    try:
        package = collect(given.policies, given.index)
    except Unpackable as fault:
        print(f"package: nothing was written: {fault}", file=sys.stderr)
        return 1
    _write(package, given.to)
    return 0


def _write(package: Package, folder: Path) -> None:
    zipped = archive(package.files)
    about = manifest(package, zipped)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "firebreak.zip").write_bytes(zipped)
    (folder / "firebreak.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    if CONFIG_FILE not in package.files:
        print(WITHOUT_CONFIG)
    for why in broken_plugins().values():
        print(f"package: WITH a part that does not work: {why}")
    count, size = len(package.files), len(zipped)
    print(f"package: {folder / 'firebreak.zip'}: {count} files, {size} bytes, sha256 {about['sha256']}")


if __name__ == "__main__":
    sys.exit(main())
