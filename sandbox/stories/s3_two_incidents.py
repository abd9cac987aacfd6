"""Two incidents on one service: the second joins, a release keeps what the other holds, the last one restores."""

from __future__ import annotations

from sandbox.scc.notifications import Scene
from sandbox.stories.s1_known_malware import BAD
from sandbox.stories.stage import Stage
from sandbox.stories.telling import tell_before, tell_finding, tell_release

TITLE = "Two incidents on one service: nothing opens before the last is released"


def tell(stage: Stage) -> None:
    """A containment stands for everybody who asked for it."""
    narrator, before = stage.narrator, stage.settings()
    tell_before(stage)
    first = tell_finding(stage, stage.report_finding(Scene(finding_id="first")))
    narrator.require("the first is contained", first["phase"], "contained")
    second = tell_finding(stage, stage.report_finding(Scene(finding_id="second")))
    narrator.step("The second joins", second["history"][-1]["what"])
    narrator.require("the second is contained", second["phase"], "contained")
    narrator.check("nothing new had to be closed: one write in all", len(stage.updates()), 1)
    code, answer = stage.firebreak("incident", "release", first["id"], "--by", "ada")
    narrator.step(f"$ firebreak incident release {first['id']} --by ada", str(answer.get("says")), *stage.traffic())
    narrator.check("the command says yes", code, 0)
    narrator.check(f"{BAD} stays closed, because the second holds it", sorted(stage.reachable().get(BAD, ())), [])
    tell_release(stage, second["id"], before)
