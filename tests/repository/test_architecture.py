"""What may depend on what, read from the source: purity and small rooms are tested, not promised."""

from __future__ import annotations

import ast
import functools
import itertools
import re
import subprocess
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[2]

PURE_PACKAGES = ("firebreak/core", "firebreak/policy_language", "responders")
PURE_MODULES = frozenset(
    "__future__ abc base64 binascii bisect collections contextlib copy dataclasses datetime decimal difflib enum"
    " fractions functools graphlib hashlib heapq hmac ipaddress itertools json math operator re shlex string textwrap"
    " types typing unicodedata yaml".split()
)
PURE_NAMES = frozenset({"firebreak.VERSION", "pathlib.PurePath", "pathlib.PurePosixPath", "urllib.parse"})
OWN_PURE = {"firebreak.core", "firebreak.policy_language", "firebreak.ports", "responders"}
IMPURE_ON_PURPOSE = {
    "firebreak/policy_language/testing/example_findings.py": {"pathlib.Path"},  # reads findings that examples name
    "firebreak/core/findings/attack.py": {"pathlib.Path"},  # reads the tables that lie beside it, once
    "firebreak/core/discovery.py": {"importlib", "pkgutil"},  # imports actions and sources, which are code of our own
}
CLOCK_CALLS = frozenset({"now", "utcnow", "today"})
IMPURE_CALLS = frozenset({"open", "print", "input", "eval", "exec", "__import__"})

CLIENTS = frozenset({"google", "vt", "grpc", "aiohttp"})
OPPONENT = "benchmarks/opponent"
"""The function that Firebreak is measured beside has its own ways."""
CLIENT_FOLDERS = ("firebreak/adapters", "sandbox", "tests", OPPONENT)
ENTRY_MODULES = frozenset({"functions_framework", "cloudevents"})
ENTRY_PLACES = ("main.py", "firebreak/adapters", "sandbox", "tests", OPPONENT)

ENVIRONMENT = frozenset({"environ", "environb", "getenv", "putenv"})
ENVIRONMENT_READERS = ("firebreak/settings.py", "benchmarks", "sandbox", "tests", "tools")

EMPTY_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "manager", "misc"})

LINES = 300

# Put together here, so that this file does not contain what it forbids.
MACHINE_PATHS = tuple(f"/{folder}/" for folder in ("work", "root"))
REGISTRY_HOSTS = tuple(".".join(words) for words in (("pypi", "org"), ("files", "pythonhosted")))

PIN = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
DIRECT = re.compile(r"^([A-Za-z0-9._-]+)\s+# (.+)$", re.MULTILINE)
LOCKS = ("requirements.txt", "requirements-dev.txt")


@functools.cache
def tracked() -> tuple[str, ...]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    return tuple(name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())


@functools.cache
def sources() -> tuple[str, ...]:
    return tuple(name for name in tracked() if name.endswith(".py"))


@functools.cache
def tree_of(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text(encoding="utf-8"), name)


def within(name: str, places: tuple[str, ...]) -> bool:
    return any(name == place or name.startswith(f"{place}/") for place in places)


def imported(tree: ast.Module, own_package: str) -> set[str]:
    """Dotted names of all that is imported, wherever in the file; `from a import b` gives `a.b`."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = ".".join(filter(None, (own_package if node.level else "", node.module)))
            names.update(f"{module}.{alias.name}" for alias in node.names)
    return names


def top(dotted: str) -> str:
    return dotted.partition(".")[0]


def impure_imports(name: str, tree: ast.Module) -> set[str]:
    package = PurePosixPath(name).parts[0]
    permitted = PURE_NAMES | IMPURE_ON_PURPOSE.get(name, set()) | OWN_PURE
    return {
        dotted
        for dotted in imported(tree, package)
        if top(dotted) not in PURE_MODULES
        and not any(dotted == known or dotted.startswith(f"{known}.") for known in permitted)
    }


def impure_calls(tree: ast.Module) -> set[str]:
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    clocks = {func.attr for func in called if isinstance(func, ast.Attribute) and func.attr in CLOCK_CALLS}
    return clocks | {func.id for func in called if isinstance(func, ast.Name) and func.id in IMPURE_CALLS}


def reads_environment(tree: ast.Module) -> bool:
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return bool(ENVIRONMENT & (attributes | {dotted.rpartition(".")[2] for dotted in imported(tree, "")}))


@functools.cache
def lock(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def pins(name: str) -> dict[str, str]:
    """Each pinned package with its version and markers."""
    lines = (line for line in lock(name).splitlines() if PIN.match(line))
    return {line.partition("==")[0]: line.partition("==")[2].rstrip(" \\") for line in lines}


@pytest.mark.parametrize("name", [name for name in sources() if within(name, PURE_PACKAGES)])
def test_the_core_and_the_actions_import_nothing_that_reaches_outside(name: str) -> None:
    found = impure_imports(name, tree_of(name))

    assert found == set()


@pytest.mark.parametrize("name", [name for name in sources() if within(name, PURE_PACKAGES)])
def test_the_core_and_the_actions_read_no_clock_and_no_file(name: str) -> None:
    found = impure_calls(tree_of(name))

    assert found == set()


def test_every_exception_from_purity_is_still_needed() -> None:
    needed = {name: imported(tree_of(name), "") & impure for name, impure in IMPURE_ON_PURPOSE.items()}

    assert needed == IMPURE_ON_PURPOSE


@pytest.mark.parametrize(
    "line",
    [
        "import os",
        "import time",
        "import logging",
        "import socket",
        "import threading",
        "import http.client",
        "import requests",
        "import vt",
        "from firebreak import settings",
        "from google.cloud import run_v2",
        "from pathlib import Path",
    ],
)
def test_an_import_that_reaches_outside_is_noticed_even_inside_a_function(line: str) -> None:
    tree = ast.parse(f"def plan():\n    {line}\n")

    assert impure_imports("firebreak/core/containment/plan.py", tree)


def test_reading_the_clock_through_a_permitted_module_is_noticed() -> None:
    tree = ast.parse("import datetime as dt\nborn = dt.datetime.now(dt.UTC)\n")

    assert impure_calls(tree) == {"now"}


def test_only_adapters_talk_to_google_and_virustotal() -> None:
    strays = {
        name: found
        for name in sources()
        if not within(name, CLIENT_FOLDERS)
        if (found := {dotted for dotted in imported(tree_of(name), "") if top(dotted) in CLIENTS})
    }

    assert strays == {}


def test_only_the_entry_point_knows_the_functions_framework() -> None:
    strays = [
        name
        for name in sources()
        if not within(name, ENTRY_PLACES) and ENTRY_MODULES & {top(dotted) for dotted in imported(tree_of(name), "")}
    ]

    assert strays == []


def test_only_the_settings_read_the_environment() -> None:
    strays = [name for name in sources() if not within(name, ENVIRONMENT_READERS) and reads_environment(tree_of(name))]

    assert strays == []


@pytest.mark.parametrize("text", ["import os\nos.environ['A']", "from os import getenv", "import os\nos.getenv('A')"])
def test_reading_the_environment_is_noticed_in_each_spelling(text: str) -> None:
    assert reads_environment(ast.parse(text))


def test_no_file_has_a_name_that_says_nothing() -> None:
    empty = [name for name in sources() if set(PurePosixPath(name).with_suffix("").parts) & EMPTY_NAMES]

    assert empty == []


def test_rooms_are_small() -> None:
    lengths = {name: (ROOT / name).read_text(encoding="utf-8").count("\n") for name in sources()}
    long = {name for name, lines in lengths.items() if lines > LINES and not within(name, ("tests",))}

    assert long == set()


@pytest.mark.parametrize("phrase", MACHINE_PATHS + REGISTRY_HOSTS)
def test_no_file_names_a_machine_s_folder_or_a_registry_s_host(phrase: str) -> None:
    named = [name for name in tracked() if phrase.encode() in (ROOT / name).read_bytes()]

    assert named == []


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_a_hash(name: str) -> None:
    begins = [*(match.start() for match in PIN.finditer(lock(name))), len(lock(name))]
    entries = [lock(name)[begin:end] for begin, end in itertools.pairwise(begins)]

    assert entries
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_pins_and_hashes_and_nothing_else(name: str) -> None:
    lines = [line for line in lock(name).splitlines() if line and not line.lstrip().startswith("#")]
    strange = [line for line in lines if not PIN.match(line) and not line.startswith("    --hash=sha256:")]

    assert strange == []
    assert "://" not in lock(name)


def test_people_and_checks_run_what_is_deployed() -> None:
    deployed, developed = (pins(name) for name in LOCKS)

    assert deployed.items() <= developed.items()


@pytest.mark.parametrize("name", LOCKS)
def test_every_direct_dependency_says_why_right_above_its_pin(name: str) -> None:
    text = (ROOT / name).with_suffix(".in").read_text(encoding="utf-8")
    unsaid = [package for package, why in DIRECT.findall(text) if f"# {why}\n{package.lower()}==" not in lock(name)]

    assert DIRECT.findall(text)
    assert unsaid == []
