"""Another set of policies for the same ledger, as a new deployment brings it: for tests over the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from firebreak.policy_folder import load_policies
from tests.response.harness import ALWAYS, Line

APPROVED = ALWAYS.replace("mode: enforce", "mode: approve")
UNANSWERED = f"{APPROVED}on_expiry: contain\n"
_CATEGORY = 'finding.category: "Execution: Added Malicious Binary Executed"'


def for_severity(severity: str, policy: str) -> str:
    """The policy for findings of that severity alone."""
    return policy.replace("id: always", f"id: on-{severity.lower()}").replace(
        f"when: {{{_CATEGORY}}}", f"when: {{{_CATEGORY}, finding.severity: {severity}}}"
    )


def deployed(on: Line, *policies: str, config: str = "ceiling: enforce") -> None:
    """From now on these policies decide, in this order, under this configuration."""
    folder = on.app.settings.policies
    for old in folder.glob("*.yaml"):
        old.unlink()
    texts: Mapping[str, str] = {f"{number}0.yaml": text for number, text in enumerate(policies, 1)}
    for name, text in texts.items():
        (folder / name).write_text(text)
    (folder / "firebreak.yaml").write_text(f'organization: "123456789012"\nsources: ["5678"]\n{config}\n')
    on.app = replace(on.app, policies=load_policies(folder, lambda *_, **__: None))
