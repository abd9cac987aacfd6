"""A folder of policies on disk. Nothing that talks to anybody is needed to read it."""

from __future__ import annotations

from pathlib import Path

import enrichment
import responders
from core.policy import PolicySet
from core.policy_text import parse_policies

_ENDINGS = (".yaml", ".yml")
_LARGEST_FILE = 2_000_000


def load_policies(folder: Path) -> PolicySet:
    """Every policy of a folder with the firebreak.yaml beside them; raises Faults."""
    return parse_policies(read_folder(folder), enrichment.catalogue(), responders.discover())


def read_folder(folder: Path) -> dict[str, str]:
    """The YAML files of a folder, name to text, in the order in which policies are tried."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in _ENDINGS and path.is_file())
    return {str(path): _text(path) for path in paths}


def _text(path: Path) -> str:
    """Cut just above the size that the loader refuses, so that a huge file costs nothing; it refuses odd bytes too."""
    with path.open("rb") as file:
        return file.read(_LARGEST_FILE).decode("utf-8", errors="surrogateescape")
