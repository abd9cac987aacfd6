"""What the vault keeps of an incident, one object a line, and what is not as it was."""

from __future__ import annotations

from firebreak.cli.screens.console import Screen
from firebreak.cli.screens.wording import Record, clock, part, rows, texts

_NAME = 22


def show_evidence(screen: Screen, shown: Record) -> None:
    """Where it is, every object with the hashes of its copy and of the original, gaps and differences."""
    screen.verbatim(str(shown["uri"]), "strong")
    if shown.get("ledger"):
        screen.verbatim(f"as recorded in the ledger {shown['ledger']}", "dim")
    if shown["written"]:
        screen.line(f"{len(rows(shown['objects']))} objects, manifest written {clock(shown['written'])} UTC")
    screen.verbatim(f"{shown['manifest']:<{_NAME}}  sha256 {shown['sha256']}", "dim")
    for one in rows(shown["objects"]):
        _show_object(screen, one)
    for gap in texts(shown["gaps"]):
        screen.line(f"not kept: {gap}", "caution", hang=10)
    _show_verdict(screen, shown)


def _show_object(screen: Screen, one: Record) -> None:
    cut = f", {one['cut']} characters or parts too large to keep" if one["cut"] else ""
    screen.verbatim(f"{one['name']:<{_NAME}}  sha256 {one['sha256']}")
    screen.verbatim(f"{'':<{_NAME}}  of     {one['original_sha256']}, {one['original_of']}{cut}", "dim")


def _show_verdict(screen: Screen, shown: Record) -> None:
    for one in rows(shown["differences"]):
        screen.line(f"{one['name']}: {one['what']}", "bad")
    if shown["differences"]:
        screen.line("NOT AS IT WAS KEPT. Believe none of it unchecked.", "bad")
        return
    _show_seal(screen, shown)
    if shown["verified"]:
        screen.line("Unchanged: every object is there, no other, and every hash is as the manifest says.", "good")
    elif shown["verified"] is None:
        screen.line(f"not compared; that does: firebreak incident evidence {shown['incident']} --verify", "dim")


def _show_seal(screen: Screen, shown: Record) -> None:
    """What is known beyond the hashes: they agree, so it is the manifest of the record, whoever sealed that."""
    if shown["seal"] == "not verified here":
        screen.line("The manifest is the one of the record; its seal is not verified here (no key).", "caution")
    elif shown["seal"] == "broken":
        screen.line(
            "Sealed with another key than the one here. No hash differs, so it is the manifest of the record: set the "
            "FIREBREAK_SEAL_KEY of that time; if that does not fit either, record and manifest were both replaced.",
            "bad",
        )


def show_kept(screen: Screen, record: Record) -> None:
    """In a few lines of the incident's own screen: where evidence is, and what is missing of it."""
    kept = part(record.get("vault"))
    if not kept:
        return
    screen.heading("Kept as evidence" if kept.get("manifest") else "No evidence is kept")
    if kept.get("manifest"):
        screen.verbatim(f"firebreak incident evidence {record['id']}", "command", indent=2)
    for gap in texts(kept.get("gaps")):
        screen.line(f"not kept: {gap}", "caution", indent=2, hang=10)
