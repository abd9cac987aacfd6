"""Whether the vault holds of an incident what the record says: byte for byte, no less and no more."""

from __future__ import annotations

from dataclasses import dataclass

from firebreak.core.evidence.manifest import Difference, Manifest, compare, digest, seen_manifest
from firebreak.core.incidents.evidence_record import EvidenceLocation
from firebreak.core.signing import Seal, Sealed
from firebreak.ports.deadline import Deadline
from firebreak.ports.vault import Vault


@dataclass(frozen=True, slots=True)
class Audit:
    """The manifest that the record names, None where it is not there, and every difference from it or the record.

    `sealed` is what is known of its seal: hashes are compared without any key.
    """

    manifest: Manifest | None
    differences: tuple[Difference, ...]
    sealed: Sealed = Sealed.UNVERIFIED


def open_manifest(vault: Vault, seal: Seal, incident: str, kept: EvidenceLocation, deadline: Deadline) -> Audit:
    """The manifest that the record names, if its hash is the one of the record; raises Refused or Transient."""
    data = vault.get(incident, kept.manifest, deadline)
    if data is None:
        return Audit(None, (Difference(kept.manifest, "missing"),))
    if digest(data) != kept.sha256:
        return Audit(None, (Difference(kept.manifest, "changed"),))
    manifest, sealed = seen_manifest(data, incident, seal)
    if manifest is None:
        return Audit(None, (Difference(kept.manifest, "cannot be read"),), sealed)
    return Audit(manifest, (), sealed)


def audit(vault: Vault, seal: Seal, incident: str, kept: EvidenceLocation, deadline: Deadline) -> Audit:
    """Read everything again and compare it with the manifest; raises Refused or Transient."""
    opened = open_manifest(vault, seal, incident, kept, deadline)
    if opened.manifest is None:
        return opened
    stated = {one.name for one in opened.manifest.objects}
    present = {}
    for name in vault.names(incident, deadline):
        data = vault.get(incident, name, deadline) if name in stated else None
        if name not in stated or data is not None:
            present[name] = digest(data or b"")
    return Audit(opened.manifest, compare(opened.manifest, kept.manifest, present), opened.sealed)
