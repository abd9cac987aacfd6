"""`firebreak incident evidence`: what the vault keeps of an incident, and whether it is still as it was put there."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

from firebreak.adapters.storage.key_file import keys_at_hand
from firebreak.adapters.storage.vault_store import vault_of
from firebreak.cli.commands import EXIT_NO, EXIT_OK, named, print_json, report
from firebreak.cli.commands.ledgers import chosen
from firebreak.cli.commands.recorded import found, open_ledger
from firebreak.cli.screens.console import paged
from firebreak.cli.screens.incident_evidence import show_evidence
from firebreak.core.incidents.evidence_record import EvidenceLocation
from firebreak.core.secrets.redaction import safe
from firebreak.core.serialization import encode
from firebreak.core.signing import Seal, Sealed
from firebreak.ports.deadline import Deadline
from firebreak.response.evidence.audit import audit, open_manifest
from firebreak.settings import Settings

_SECONDS = 120.0


def evidence(parsed: argparse.Namespace) -> int:
    """What the record says is kept, with every difference from it."""
    settings = chosen(parsed)
    incident = found(open_ledger(settings), parsed.id).incident
    kept = incident.vault
    if kept is None or not kept.manifest:
        gaps = f": {'; '.join(kept.gaps)}" if kept else ""
        return report(parsed, f"{incident.id}: no evidence is kept{gaps}", EXIT_NO)
    shown = _looked_at(settings, incident.id, kept, verify=parsed.verify) | named(parsed)
    shown["exit"] = EXIT_NO if shown["differences"] or shown["seal"] == Sealed.BROKEN.value else EXIT_OK
    if parsed.json:
        print_json(shown)
    else:
        with paged() as screen:
            show_evidence(screen, shown)
    return int(shown["exit"])


def _looked_at(settings: Settings, incident: str, kept: EvidenceLocation, *, verify: bool) -> dict[str, Any]:
    """Where the record says that it is, whatever the settings are now."""
    vault = vault_of(replace(settings, evidence=kept.uri.removesuffix(f"/{incident}")))
    look = audit if verify else open_manifest
    seen = look(vault, Seal(keys_at_hand(settings)), incident, kept, Deadline.after(_SECONDS))
    return {
        "incident": incident,
        "uri": safe(kept.uri),
        "manifest": kept.manifest,
        "sha256": kept.sha256,
        "written": seen.manifest.written if seen.manifest else None,
        "objects": encode(seen.manifest.objects) if seen.manifest else [],
        "gaps": [safe(one) for one in kept.gaps],
        "seal": seen.sealed.value if seen.manifest else None,
        "verified": not seen.differences and seen.sealed is not Sealed.BROKEN if verify else None,
        "differences": [{"name": safe(one.name), "what": one.what} for one in seen.differences],
    }
