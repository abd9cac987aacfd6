"""A part of the way back that is refused for good: a person gives that setting up, and the incident is released."""

from __future__ import annotations

from sandbox.stories.s7_release_refused import POLICY, PUBLIC, half_released
from sandbox.stories.stage import Stage
from sandbox.stories.telling import tell_command, tell_keys

TITLE = "A setting that is left as it is: --leave gives it up"
__all__ = ["POLICY", "TITLE", "tell"]


def tell(stage: Stage) -> None:
    """What is given up stays as it is, and is Firebreak's no longer."""
    narrator = stage.narrator
    incident = half_released(stage)
    says = tell_command(stage, "incident", "release", incident, "--leave", "service.ingres", "--by", "ada", code=1)
    narrator.check("a setting that is not held is told with those that are", PUBLIC in says)
    tell_command(stage, "incident", "release", incident, "--leave", PUBLIC, "--by", "ada")
    told = stage.announced()[-1]
    tell_keys(stage, told)
    narrator.check("the record says released", told["phase"], "released")
    narrator.check("the service is not public", stage.is_public(), wanted=False)
