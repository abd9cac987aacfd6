"""Google's packages, loaded part by part: by themselves each loads every client that it has as soon as it is touched.

That is eight services of Cloud Run where two are needed, Cloud Logging's handlers, Firestore's own queries: a third of
what a cold start loads before it writes. Here a package's own first lines run when something is asked of it that is no
module of it: it is whole for whoever wants the whole. Who wants a part imports that part.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec
from types import ModuleType
from typing import Any

PACKAGES = frozenset(
    {
        "google.cloud.firestore_v1",
        "google.cloud.iam_admin_v1",
        "google.cloud.logging_v2",
        "google.cloud.run_v2",
        "google.cloud.securitycenter_v2",
        "google.pubsub_v1",
    }
)


class _PartByPart(SourceFileLoader):
    """Runs a package's own lines when they are needed; another thread that needs them too may run them again."""

    def exec_module(self, module: ModuleType) -> None:
        """Nothing yet."""

        def asked_for(name: str) -> Any:  # noqa: ANN401 - whatever the package has
            if name.startswith("__") and name not in ("__all__", "__version__"):
                raise AttributeError(name)
            if find_spec(f"{module.__name__}.{name}") is not None:
                return import_module(f"{module.__name__}.{name}")
            vars(module).pop("__getattr__", None)
            super(_PartByPart, self).exec_module(module)
            return getattr(module, name)

        vars(module)["__getattr__"] = asked_for


class Finder(PathFinder):
    """Finds these packages as Python does, and nothing else."""

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As ever, but for the loader of these packages."""
        if fullname not in PACKAGES:
            return None
        spec = super().find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = _PartByPart(fullname, spec.origin)
        return spec


def load_part_by_part() -> None:
    """From now on, in this process; what was loaded before stays as it is."""
    if Finder not in sys.meta_path:
        sys.meta_path.insert(0, Finder)
