"""Runs the tests that need more than Python where their programs are, and says loudly which it leaves out, and why."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = {  # marker: any one of each group of programs
    "emulator": (("gcloud",), ("java",)),
    "browser": (("chromium", "chromium-browser", "google-chrome"),),
    "terraform": (("terraform",),),
}
NO_TEST = 5  # pytest's exit code where it selects no test
SELECTED = re.compile(r"^(\d+)(?:/\d+)? tests? collected", re.MULTILINE)


def missing(marker: str) -> list[str]:
    """What this machine lacks for the tests with that marker, in words."""
    return [" or ".join(group) for group in NEEDED[marker] if not any(shutil.which(program) for program in group)]


def main() -> int:
    """Run what can be run; exit 0 unless a test failed or the tests could not be collected."""
    return max(_run(marker) for marker in NEEDED)


def _run(marker: str) -> int:
    pytest = [sys.executable, "-m", "pytest", "-m", marker]
    found = subprocess.run([*pytest, "--collect-only"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    if found.returncode == NO_TEST:
        print(f"outside: no test is marked {marker}", flush=True)
        return 0
    count = SELECTED.search(found.stdout)
    if found.returncode or not count:
        print(f"{found.stdout}{found.stderr}outside: the tests marked {marker} cannot be collected", flush=True)
        return 1
    lacking = missing(marker)
    if lacking:
        print(
            f"outside: LEFT OUT {count[1]} tests marked {marker}: not on this machine: {', '.join(lacking)}", flush=True
        )
        return 0
    print(f"outside: {count[1]} tests marked {marker}", flush=True)
    return subprocess.run(pytest, cwd=ROOT, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
