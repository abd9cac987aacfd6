"""The laws find a wrong plugin by its existing: one file is added to a copy of the code, and no other is changed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("firebreak", "enrichment", "responders", "policies", "sandbox", "tests")
FILES = (*sorted(path.name for path in ROOT.glob("*.py")), "pyproject.toml")

RIGHT = (ROOT / "responders" / "cut_traffic.py").read_text().replace("cut_traffic", "{name}")
WRONG_ACTIONS = {  # each with what the law that finds it says, after the file and line
    "never_settles": (
        RIGHT.replace("INGRESS: door", 'INGRESS: "all" if before[INGRESS] == door else door'),
        "`edit` applied to its own result changes it again on a service",
        "service.ingress: expected ",
    ),
    "loosens": (
        RIGHT.replace("narrower_ingress(before.get(INGRESS), wanted)", "wanted").replace(
            "from firebreak.core.actions.setting_order import narrower_ingress\n", ""
        ),
        "`edit` opens a service further than it was: `service.ingress`",
        ": expected ",
    ),
    "empties_traffic": (
        RIGHT.replace("{**before, INGRESS: door", '{**before, "service.traffic.split": "LATEST=0", INGRESS: door'),
        "`edit` leaves shares that do not total 100: {'LATEST': 0}",
        "settings before: service.default_uri_disabled=",
    ),
    "leaves_its_surface": (
        RIGHT.replace("{**before, INGRESS: door", '{**before, "service_iam.roles/run.invoker": "none", INGRESS: door'),
        "`edit` changes what is outside `surfaces`: of a service it declares `service`",
        "service_iam.roles/run.invoker: expected (none), found 'none'",
    ),
    "needs_an_unknown_source": (
        RIGHT.replace("    call = ", '    needs = frozenset({"workloads"})\n    call = '),
        "`needs` names ['workloads']; expected only of ['attack', ",
    ),
    "claims_no_permission": (
        RIGHT.replace("run.services.update", "run.services.delete"),
        "`permissions` names ['run.services.delete']; expected only of [",
    ),
    "changes_its_input": (
        RIGHT.replace("door = ", "before[INGRESS] = 'none'  # type: ignore[index]\n        door = "),
        "`edit` changes the settings it is given; return others instead",
        "service.ingress: expected 'all', found 'none'",
    ),
    "talks_to_the_cloud": (
        RIGHT.replace("import annotations\n", "import annotations\nimport socket\n"),
        "`edit` must be pure, but its file imports `socket`",
    ),
    "hides_that_others_are_touched": (
        RIGHT.replace('frozenset({"service"})', 'frozenset({"service", "service_account"})'),
        "`reach` is 'workload'; expected 'shared', because of the surfaces `service`, `service_account`",
    ),
    "misnames_its_technique": (
        RIGHT.replace("D3-ITF", "ITF"),
        "`countermeasure` is 'ITF'; expected a technique of D3FEND, such as D3-ITF",
    ),
}
WRONG_SOURCES = {
    "tells_of_others": '''
"""A source that claims another one's facts, and has no deadline to speak of."""
from types import MappingProxyType
from firebreak.core.facts import Evidence, Fact, FactType

class Wrong:
    facts = MappingProxyType({"virustotal.malicious": Fact(FactType.NUMBER, "Made up.")})
    permissions = frozenset()
    deadline = 60.0
    shapes_plan = False

    def enrich(self, finding, sources):
        return Evidence("virustotal", {"virustotal.malicious": 0})

source = Wrong()
''',
}


# Nobody reads the smallest example of what is known to be wrong.
HASTE = """
from hypothesis import Phase
settings.register_profile("haste", deadline=None, derandomize=True, max_examples=15, phases=[Phase.generate])
settings.load_profile("haste")
"""


GUIDE = (ROOT / "CONTRIBUTING.md").read_text()
RIGHT_ACTION = GUIDE.partition("```python\n")[2].partition("```")[0]
"""The action that the guide shows to whoever writes a first one."""
LAWS = ("action_declarations", "responder_laws", "source_and_surface_laws")


def told_by_laws(folder: Path, actions: dict[str, str], sources: dict[str, str], *laws: str) -> str:
    """What the laws print in a copy of the code to which these plugins were added, and nothing else was changed."""
    for name in FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__", "faults", "broken_policies")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)
    with (folder / "tests" / "conftest.py").open("a") as conftest:
        conftest.write(HASTE)
    for name, text in actions.items():
        (folder / "responders" / f"{name}.py").write_text(text.replace("{name}", name))
    for name, text in sources.items():
        (folder / "enrichment" / f"{name}.py").write_text(text)
    files = [f"tests/laws/test_{name}.py" for name in laws or LAWS]
    added = " or ".join((*actions, *sources))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--tb=short", "-k", added, *files]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=150)  # noqa: S603
    assert " passed" in done.stdout, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def failures(told: str) -> list[str]:
    return [line for line in told.splitlines() if line.startswith(("FAILED", "ERROR"))]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    actions = {name: text for name, (text, *_) in WRONG_ACTIONS.items()}
    return told_by_laws(tmp_path_factory.mktemp("wrong"), actions, WRONG_SOURCES)


@pytest.mark.parametrize("name", sorted((*WRONG_ACTIONS, *WRONG_SOURCES)))
def test_a_wrong_plugin_fails_the_laws(told: str, name: str) -> None:
    """Each is wrong in one way, and no other file was changed."""
    assert f"[{name}" in "\n".join(failures(told))


@pytest.mark.parametrize("name", sorted(WRONG_ACTIONS))
def test_a_failing_law_says_where_to_look_what_was_expected_and_what_was_found(told: str, name: str) -> None:
    _, what, *details = WRONG_ACTIONS[name]
    said = re.findall(rf"responders/{name}\.py:(\d+): (.+(?:\n(?:E|    \|) {{3,}}.+)*)", told)
    lines = WRONG_ACTIONS[name][0].splitlines()

    assert any(text.startswith(what) and all(detail in text for detail in details) for _, text in said), said
    assert all(lines[int(line) - 1].split()[0] in ("class", "def", *_members(what)) for line, _ in said)


def _members(what: str) -> list[str]:
    return re.findall(r"^`(\w+)`", what)


def test_a_right_action_passes_them(tmp_path: Path) -> None:
    """So that it is the wrongness that fails."""
    assert failures(told_by_laws(tmp_path, {"close_doors": RIGHT}, {})) == []


def test_a_right_action_that_writes_the_number_one_passes_them_over_the_wire_too(tmp_path: Path) -> None:
    """It declares only what has no default; and a person who sets one instance by hand is not what it is tried with."""
    told = told_by_laws(tmp_path, {"keep_one_instance": RIGHT_ACTION}, {}, *LAWS, "actions_over_the_wire")

    assert failures(told) == []
