"""A rehearsal: `firebreak drill` deploys a canary, has the function contain and release it, and takes it away."""

from __future__ import annotations

from sandbox.delivery import delivering
from sandbox.scc.notifications import push_body
from sandbox.stories.stage import Stage

TITLE = "A drill: a canary is contained, released and taken away, and the service beside it is not touched"
_ACKNOWLEDGED = 200
_WORDS = ("drill", "--project", "shop-prod", "--region", "europe-west1", "--by", "ada", "--yes")


def tell(stage: Stage) -> None:
    """The real command against the real function; the sandbox delivers what is written to its SCC."""
    narrator, before = stage.narrator, stage.settings()
    with delivering(stage.world, lambda body: stage.deliver(push_body(body)) == _ACKNOWLEDGED):
        code, report = stage.firebreak(*_WORDS)
    narrator.step(f"$ firebreak {' '.join(_WORDS)}", *_lines(report))
    narrator.require("the drill says yes", code, 0)
    narrator.check("the canary is gone", [name for name in stage.world.services if "firebreak-drill" in name], [])
    held = [one["finding"]["state"] for one in stage.world.findings]
    narrator.check("its finding is INACTIVE", held, ["INACTIVE"])
    written = {call.request.service.name.rpartition("/")[2][:15] for call in stage.updates()}
    narrator.check("nothing but the canary was written to", written, {"firebreak-drill"})
    narrator.check(f"{stage.service} is as it was", stage.settings(), before)


def _lines(report: object) -> list[str]:
    """What the drill found as it should be, and what not."""
    stories = report.get("stories", []) if isinstance(report, dict) else []
    checks = [one for story in stories for one in story["checks"]]
    told = (f"right: {one['check']}" if one["right"] else f"differs: {one['check']}: {one['found']}" for one in checks)
    return [*told] or [str(report)]
