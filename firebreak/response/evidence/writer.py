"""Putting copies of originals into the vault, each once, and the manifest over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from firebreak.core.code_location import kind_and_place
from firebreak.core.errors import Refused, Transient
from firebreak.core.evidence.manifest import (
    MANIFEST,
    Entry,
    Manifest,
    digest,
    entry_of,
    manifest_entry,
    name_of,
    number_of,
    read_manifest,
    sealed_copy,
    sealed_manifest,
)
from firebreak.core.facts import Originals
from firebreak.core.incidents.incident import EvidenceLocation
from firebreak.core.secrets.redaction import safe
from firebreak.core.timestamps import format_instant
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App

_MOST_VERSIONS = 50
_AT_ONCE = 4
_LONGEST = 500


@dataclass
class Collection:
    """What was put into the vault for one incident so far, and what could not be."""

    app: App
    incident: str
    entries: dict[str, Entry] = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)

    @property
    def missing(self) -> tuple[str, ...]:
        """The gaps, each once, and safe to show: they quote what others answered."""
        return tuple(sorted({safe(one, _LONGEST) for one in self.gaps}))

    def add(self, originals: Iterable[tuple[str, Originals]], deadline: Deadline) -> None:
        """Keep copies of these, several at once; one that fails is a gap, and the others go on."""
        found: dict[str, object] = {}
        for source, read in originals:
            self._isolated(source, lambda read=read: found.update(read()))  # type: ignore[misc]
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="vault") as pool:
            for stem, original in sorted(found.items()):
                pool.submit(self._isolated, stem, lambda s=stem, o=original: self._keep(s, o, deadline))  # type: ignore[misc]

    def _isolated(self, what: str, work: Callable[[], None]) -> None:
        try:
            work()
        except (Refused, Transient) as fault:
            self.gaps.append(f"{what}: {fault}")
        except Exception as fault:  # noqa: BLE001 - evidence that cannot be kept must not undo what was done
            self.gaps.append(f"{what}: no copy could be made ({kind_and_place(fault)})")
            told = f"a fault in Firebreak itself, at the copy of {what}: {kind_and_place(fault)}"
            self.app.log("ERROR", told, incident=self.incident)

    def _keep(self, stem: str, original: object, deadline: Deadline) -> None:
        seal = self.app.ledger.seal
        data = sealed_copy(self.incident, stem, original, seal)
        name = put(self.app, self.incident, stem, data, deadline)
        if entry := entry_of(name, data, self.incident, seal):
            self.entries[name] = entry

    def manifest(self, deadline: Deadline) -> EvidenceLocation:
        """Name all that is there, from now and from before, in a manifest; raises Refused or Transient.

        Where nothing has changed, the last one stands. It is named by the next, so that none is lost unnoticed.
        """
        names = self.app.vault.names(self.incident, deadline)
        newest = name_of(MANIFEST, max((number_of(MANIFEST, name) or 0 for name in names), default=0) or 1)
        before, data = self._before(newest, deadline) if newest in names else (None, b"")
        stated = {one.name: one for one in before.objects} if before else {}
        for name in sorted(set(names) - stated.keys() - self.entries.keys() - {newest}):
            self._found(name, deadline)
        entries = stated | self.entries
        if before and (stated, before.gaps) == (entries, self.missing):
            return self._kept(newest, data)
        if newest in names:
            self._found(newest, deadline)
            entries |= self.entries
        made = Manifest(self.incident, format_instant(self.app.now_ns()), tuple(entries.values()), self.missing)
        written = sealed_manifest(made, self.app.ledger.seal)
        return self._kept(put(self.app, self.incident, MANIFEST, written, deadline), written)

    def _before(self, name: str, deadline: Deadline) -> tuple[Manifest | None, bytes]:
        data = self.app.vault.get(self.incident, name, deadline) or b""
        return read_manifest(data, self.incident, self.app.ledger.seal), data

    def _found(self, name: str, deadline: Deadline) -> None:
        """Something that no manifest names yet: of an attempt that died, or not ours."""
        data, seal = self.app.vault.get(self.incident, name, deadline) or b"", self.app.ledger.seal
        entry = entry_of(name, data, self.incident, seal) or manifest_entry(name, data, self.incident, seal)
        if entry:
            self.entries[name] = entry
        else:
            self.gaps.append(f"{name}: it lies in the vault, and Firebreak did not put it there")

    def _kept(self, name: str, data: bytes) -> EvidenceLocation:
        return EvidenceLocation(f"{self.app.vault.uri}/{self.incident}", name, digest(data), self.missing)


def put(app: App, folder: str, stem: str, data: bytes, deadline: Deadline) -> str:
    """Make the object, or find it made; another content of that name is left alone and this becomes a further version.

    Raises Refused or Transient.
    """
    for number in range(1, _MOST_VERSIONS + 1):
        name = name_of(stem, number)
        if app.vault.put(folder, name, data, deadline) or app.vault.get(folder, name, deadline) == data:
            return name
    message = f"there are {_MOST_VERSIONS} versions of it already"
    raise Refused(message)
