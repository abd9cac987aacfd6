"""Makes the hash-pinned locks from the .in files, and puts the reason of each direct dependency beside its pin."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPILE = "pip compile --quiet --no-config --generate-hashes --universal --python-version 3.11 --no-header --upgrade"
COOL_DOWN = "1 week"  # a release that turns out to be malicious is mostly found out sooner
HEADER = "# Made by `make pins` from {name}.in, which says why each direct dependency is there. Not edited by hand.\n"
REASON = re.compile(r"^([A-Za-z0-9._-]+)\s+# (.+)$", re.MULTILINE)
PIN = re.compile(r"^([A-Za-z0-9._-]+)==")


def main() -> int:
    """Make both locks anew, the second with the versions of the first; needs `uv` and the public package index."""
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if uv is None:
        print("pins: uv is missing; get it with: .venv/bin/pip install uv", file=sys.stderr)
        return 1
    _compile(uv, "requirements")
    _compile(uv, "requirements-dev", "-c", "requirements.txt")
    return 0


def _compile(uv: str, name: str, *constraint: str) -> None:
    print(f"pins: making {name}.txt", flush=True)
    command = [uv, *COMPILE.split(), "--exclude-newer", COOL_DOWN, *constraint, f"{name}.in", "-o", f"{name}.txt"]
    # Hashes must be those of the public index alone, whatever else this machine's settings name.
    public = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_"))}
    subprocess.run(command, cwd=ROOT, env=public, check=True)  # noqa: S603 - our own words
    lock = ROOT / f"{name}.txt"
    lock.write_text(HEADER.format(name=name) + with_reasons(lock.read_text(), reasons()))


def reasons() -> dict[str, str]:
    """Why each direct dependency is there, by its name in lower case."""
    texts = [(ROOT / name).read_text() for name in ("requirements.in", "requirements-dev.in")]
    return {name.lower(): reason for text in texts for name, reason in REASON.findall(text)}


def with_reasons(lock: str, known: dict[str, str]) -> str:
    """The lock with a comment line above each direct dependency."""
    lines: list[str] = []
    for line in lock.splitlines():
        pin = PIN.match(line)
        if pin and pin[1].lower() in known:
            lines.append(f"# {known[pin[1].lower()]}")
        lines.append(line)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
