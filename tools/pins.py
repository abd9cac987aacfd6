"""Makes the hash-pinned locks from the .in files, and puts the reason of each direct dependency beside its pin."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPILE = (
    "pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header"
    " --no-emit-index-url --no-emit-find-links"
).split()
REASON = re.compile(r"^([A-Za-z0-9._-]+)\s+# (.+)$", re.MULTILINE)


def main() -> int:
    """Compile both locks; needs `uv` beside this interpreter or on the path, and the public package index."""
    # Hashes must be those of the public index alone, whatever else this machine's pip is told of.
    hidden = ("PIP_", "UV_")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(hidden)}
    environment |= {key: os.environ[key] for key in ("PIP_CERT",) if key in os.environ}
    for name, constraint in (("requirements", []), ("requirements-dev", ["-c", "requirements.txt"])):
        command = [_uv(), *COMPILE, *sys.argv[1:], *constraint, f"{name}.in", "-o", f"{name}.txt"]
        subprocess.run(command, cwd=ROOT, env=environment, check=True)  # noqa: S603 - our own words
        lock = ROOT / f"{name}.txt"
        lock.write_text(with_reasons(lock.read_text(), _reasons()))
    return 0


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else "uv"


def _reasons() -> dict[str, str]:
    texts = [(ROOT / name).read_text() for name in ("requirements.in", "requirements-dev.in")]
    return {name.lower(): reason for text in texts for name, reason in REASON.findall(text)}


def with_reasons(lock: str, reasons: dict[str, str]) -> str:
    """The lock with a comment line above each direct dependency."""
    lines = []
    for line in lock.splitlines():
        name = re.match(r"([A-Za-z0-9._-]+)==", line)
        if name and name[1].lower() in reasons:
            lines.append(f"# {reasons[name[1].lower()]}")
        lines.append(line)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
