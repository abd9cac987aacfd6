"""What the documentation leaves open, asked on the canary, and told question by question as the answers come."""

from __future__ import annotations

from dataclasses import asdict, replace

from firebreak.adapters.cloud_run.drill_probes import probe
from firebreak.cli.drill.stage import Stage
from firebreak.cli.screens.console import working
from firebreak.core.drills.probed import Probed
from firebreak.core.secrets.redaction import safe


def tell_probes(stage: Stage) -> None:
    """Each question with what was sent, what came back and what that says. No answer makes the drill wrong."""
    emulators = stage.settings.emulators
    asked = probe(
        stage.canaries.services,
        stage.target,
        stage.account,
        (emulators.get("CLOUD_RUN_EMULATOR_HOST"), emulators.get("IAM_EMULATOR_HOST")),
    )
    while True:
        with working("probing"):
            found = next(asked, None)
        if found is None:
            return
        _tell(stage, replace(found, came_back=tuple(map(safe, found.came_back)), answer=safe(found.answer)))


def _tell(stage: Stage, found: Probed) -> None:
    pairs = zip(found.sent, found.came_back, strict=False)
    lines = [line for sent, back in pairs for line in (f"sent: {sent}", f"  came back: {back}")]
    beyond = [f"  came back: {one}" for one in found.came_back[len(found.sent) :]]
    stage.narrator.step(found.question, *lines, *beyond, f"answer: {found.answer}", data=asdict(found))
