"""VirusTotal does not know the binary: the plan is drawn, a person is asked, approves, and it is contained."""

from __future__ import annotations

from sandbox.scc.notifications import Scene
from sandbox.stories.s1_known_malware import BAD, GOOD
from sandbox.stories.stage import Stage
from sandbox.stories.telling import tell_before, tell_containment, tell_decision, tell_finding

TITLE = "A file that VirusTotal does not know: a person is asked first"
NEVER_SEEN = "ab" * 32


def tell(stage: Stage) -> None:
    """A missing answer is not an answer."""
    narrator, before = stage.narrator, stage.settings()
    tell_before(stage)
    record = tell_finding(stage, stage.report_finding(Scene(sha256=NEVER_SEEN)))
    tell_decision(stage, record)
    narrator.require("the incident waits for a person", record["phase"], "waiting")
    narrator.check("nothing was written", len(stage.updates()), 0)
    narrator.check(f"{BAD} still serves", "percent" in stage.reachable().get(BAD, ()))
    incident, digest = record["id"], record["question"]["digest"][:12]
    code, answer = stage.firebreak("incident", "approve", incident, "--digest", digest, "--by", "ada")
    says = str(answer.get("says", answer))
    narrator.step(f"$ firebreak incident approve {incident} --digest {digest} --by ada", says)
    narrator.require("the command says yes", code, 0)
    approved = stage.announced()[-1]
    narrator.check("the record says who approved", any(one["who"] == "ada" for one in approved["history"]))
    narrator.check("what was approved is what ran", approved["plan"]["digest"], record["plan"]["digest"])
    tell_containment(stage, approved, before, bad=BAD, good=GOOD)
