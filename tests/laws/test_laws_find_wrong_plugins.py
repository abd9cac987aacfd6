"""The laws find a wrong plugin by its existing: one file is added to a copy of the code, and no other is changed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("firebreak", "enrichment", "responders", "policies", "sandbox", "tests")
FILES = (*sorted(path.name for path in ROOT.glob("*.py")), "pyproject.toml")

RIGHT = (ROOT / "responders" / "cut_traffic.py").read_text().replace("cut_traffic", "{name}")
WRONG_ACTIONS = {
    "never_settles": RIGHT.replace("INGRESS: door", 'INGRESS: "all" if before[INGRESS] == door else door'),
    "loosens": RIGHT.replace("narrower_ingress(before.get(INGRESS), wanted)", "wanted").replace(
        "from firebreak.core.actions.setting_order import narrower_ingress\n", ""
    ),
    "empties_traffic": RIGHT.replace(
        "{**before, INGRESS: door", '{**before, "service.traffic.split": "LATEST=0", INGRESS: door'
    ),
    "leaves_its_surface": RIGHT.replace(
        "{**before, INGRESS: door", '{**before, "service_iam.roles/run.invoker": "none", INGRESS: door'
    ),
    "needs_an_unknown_source": RIGHT.replace('needs = frozenset({"workload"})', 'needs = frozenset({"workloads"})'),
    "claims_no_permission": RIGHT.replace("run.services.update", "run.services.delete"),
    "changes_its_input": RIGHT.replace("door = ", "before[INGRESS] = 'none'  # type: ignore[index]\n        door = "),
    "talks_to_the_cloud": RIGHT.replace("from typing import Literal", "import socket\nfrom typing import Literal"),
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


def broken_laws(folder: Path, actions: dict[str, str], sources: dict[str, str]) -> str:
    """The laws that fail in a copy of the code to which these plugins were added, each named with its plugin."""
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
    laws = [f"tests/laws/test_{name}_laws.py" for name in ("responder", "source_and_surface")]
    added = " or ".join((*actions, *sources))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--tb=no", "-k", added, *laws]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=150)  # noqa: S603
    assert " passed" in done.stdout, done.stdout[-3000:] + done.stderr[-3000:]
    return "\n".join(line for line in done.stdout.splitlines() if line.startswith("FAILED"))


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> str:
    return broken_laws(tmp_path_factory.mktemp("wrong"), WRONG_ACTIONS, WRONG_SOURCES)


@pytest.mark.parametrize("name", sorted((*WRONG_ACTIONS, *WRONG_SOURCES)))
def test_a_wrong_plugin_fails_the_laws(failures: str, name: str) -> None:
    """Each is wrong in one way, and no other file was changed."""
    assert f"[{name}" in failures


def test_a_right_action_passes_them(tmp_path: Path) -> None:
    """So that it is the wrongness that fails."""
    assert broken_laws(tmp_path, {"close_doors": RIGHT}, {}) == ""
