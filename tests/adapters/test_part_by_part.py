"""Google's packages in a fresh process: what is asked of them is loaded, and they are whole for others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from firebreak.adapters.part_by_part import PACKAGES

ROOT = Path(__file__).resolve().parents[2]


def told(code: str, before: str = "import firebreak.adapters") -> list[str]:
    """What a fresh process prints."""
    command = [sys.executable, "-c", f"import sys\n{before}\n{code}"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603 - Python itself
    return done.stdout.splitlines()


def test_one_service_is_loaded_without_the_others() -> None:
    code = """
from google.cloud.run_v2 import types
from google.cloud.run_v2.services.services import ServicesClient
print(types.Service.__name__, ServicesClient.__name__)
services = "google.cloud.run_v2.services."
print(*sorted(name for name in sys.modules if name.startswith(services) and name.count(".") == services.count(".")))
"""

    assert told(code) == ["Service ServicesClient", "google.cloud.run_v2.services.services"]


def test_whoever_wants_a_whole_package_has_it() -> None:
    """Every name of it is the same thing as it is by itself, also where a part was loaded before."""
    code = f"""
from importlib import import_module
for name in {sorted(PACKAGES)}:
    import_module(name + ".types")
    package = import_module(name)
    print(hasattr(package, "there_is_no_such_thing"), package.__version__, package.__spec__.origin)
    exec("from " + name + " import *", names := {{}})
    for one in package.__all__:
        print(one, names[one] is getattr(package, one), getattr(names[one], "__module__", None))
"""

    assert told(code) == told(code, before="")
