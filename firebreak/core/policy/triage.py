"""Findings that are declined at once: acknowledged with a recorded reason, before any source or API is asked."""

from __future__ import annotations

from collections.abc import Iterator

from firebreak.core.cloud_run.target import NotATarget, Target
from firebreak.core.facts import FactValue
from firebreak.core.findings.detectors import listed_name
from firebreak.core.findings.finding import Finding, FindingName
from firebreak.core.findings.notification import Notification
from firebreak.core.policy.policy import CATEGORY, Config, Policy, PolicySet
from firebreak.core.policy.selection import could_match

NO_ORGANIZATION = (
    "firebreak.yaml, if there is one, names no organization, so Security Command Center was not asked: give it the key "
    "`organization`"
)
NO_POLICY = "there is no policy at all, so nothing is decided: look at the folder of policies"


def reason_to_decline(notification: Notification, policies: PolicySet) -> str | None:
    """Why this message needs no decision; None if it does. Asks nobody."""
    return declined_by_itself(notification, policies.config) or unnamed(notification.finding, policies)


def declined_by_itself(notification: Notification, config: Config) -> str | None:
    """The same whatever the policies are."""
    finding = notification.finding
    if notification.deleted:
        return "SCC says that this finding was deleted"
    if stranger := not_ours(finding, config.organization):
        return stranger
    if isinstance(finding.target, NotATarget) and not finding.target.name:
        return finding.target.reason  # what lies on Cloud Run and cannot be read is for SCC, and then a person
    return settled_in_scc(finding)


def not_ours(finding: Finding, organization: str | None) -> str | None:
    """Why the finding is of another organization than ours; None where nothing says so. Nobody is called about one."""
    if organization is not None and finding.organization not in (None, organization):
        return f"the finding belongs to organization {finding.organization}, not to ours"
    container = finding.name.container
    kind, _, named = container.partition("/")
    if organization is not None and kind == "organizations" and named != organization:
        return f"the finding's name lies under organization {named}, not under ours"
    if lies_elsewhere(finding.name, finding):
        return f"the finding's name lies under {container}, and its workload does not"
    return None


def lies_elsewhere(name: FindingName, finding: Finding) -> bool:
    """Whether a name is known to lie under another organization, folder or project than the finding's workload."""
    kind, _, above = name.container.partition("/")
    if kind == "folders":
        return finding.folders is not None and above not in finding.folders
    known = finding.organization
    if kind == "projects":
        target = finding.target if isinstance(finding.target, Target) else None
        known = None if target is None else target.project_number if above.isdigit() else target.project_id
    return known not in (None, above)


def settled_in_scc(finding: Finding) -> str | None:
    """Whether SCC says that the finding needs no answer any more."""
    if finding.state == "INACTIVE":
        return "the finding is INACTIVE in SCC"
    return "the finding is muted in SCC" if finding.mute == "MUTED" else None


def facts_of(finding: Finding, policies: PolicySet) -> dict[str, FactValue]:
    """What the finding alone tells, its detector under the listed name: one that Google renamed is matched as before.

    As Security Command Center spells it, where a policy that decides names it so.
    """
    return as_listed(finding.facts(), finding, policies)


def as_listed(facts: dict[str, FactValue], finding: Finding, policies: PolicySet) -> dict[str, FactValue]:
    """The finding's facts with its detector so."""
    category = facts.get(CATEGORY)
    if isinstance(category, str) and not policies.names(category):
        facts[CATEGORY] = listed_name(category, finding.module)
    return facts


def facts_in_shadow(finding: Finding, policies: PolicySet) -> Iterator[tuple[Policy, dict[str, FactValue]]]:
    """Each policy in shadow that may match, with what the finding alone would tell if that policy were in force."""
    own, naming = facts_of(finding, policies), policies.naming(finding.category)
    may = {one.id for one in (*naming, *policies.in_shadow(own))}
    for policy in policies.policies:
        if policy.shadow and policy.id in may:
            yield policy, own | ({CATEGORY: finding.category} if policy in naming else {})


def unnamed(finding: Finding, policies: PolicySet) -> str | None:
    """Whether no policy could match, whatever the sources would say."""
    if not policies.policies:
        return NO_POLICY
    facts = facts_of(finding, policies)
    if could_match(policies.open_to(facts), facts):
        return None
    return f"no policy names a finding like this one ({finding.category or 'without a category'})"
