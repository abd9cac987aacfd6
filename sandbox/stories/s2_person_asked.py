"""VirusTotal does not know the binary: the plan is drawn, a person is asked, approves, and it is contained."""

from __future__ import annotations

from sandbox.stories.s1_known_malware import tell_before, tell_containment, tell_decision
from sandbox.stories.stage import Stage

TITLE = "A file that VirusTotal does not know: a person is asked first"


def tell(stage: Stage) -> None:
    """A missing answer is not an answer."""
    narrator = stage.narrator
    tell_before(stage)
    pair = stage.report_finding(sha256="ab" * 32)
    narrator.step("Security Command Center publishes a finding", "a binary that nobody has seen before")
    record = tell_decision(stage, stage.publish(pair))
    narrator.check("the incident waits for a person", record["phase"], "waiting")
    narrator.check("nothing was written", len(stage.sandbox.wire.calls_to("*/UpdateService")), 0)
    incident, digest = record["id"], record["question"]["digest"][:12] if record["question"] else ""
    code, answer = stage.firebreak("incident", "approve", incident, "--digest", digest, "--by", "ada")
    narrator.step(f"firebreak incident approve {incident} --digest {digest}", str(answer.get("says", answer)))
    narrator.check("the approval says yes", code, 0)
    approved = stage.announced()[-1]
    narrator.check("the incident is contained", approved["phase"], "contained")
    narrator.check("the record says who approved", any(one["who"] == "ada" for one in approved["history"]), True)  # noqa: FBT003
    tell_containment(stage, approved)
