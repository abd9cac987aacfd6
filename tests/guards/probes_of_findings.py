"""Probes of what comes in: who may aim Firebreak, and at what. Over the wire, on a service that could be contained."""

from __future__ import annotations

from typing import Any

from sandbox.scc.notification_variants import gke_twin, inactive, muted
from sandbox.scc.notifications import Scene, notification_v2
from tests.guards.probing import Probe, line
from tests.guards.scenes import (
    about_another_service,
    asked_then,
    comes,
    everywhere,
    halted_then,
    held,
    later_than_scc_knows,
    of_another_category,
    scc_away_for_ten_minutes,
    settled,
    told,
    without,
)
from tests.response.drills import DRILL, announced
from tests.response.harness import SERVICE

RUN = "//run.googleapis.com/projects/shop-prod/locations/europe-west1/services"
GKE = "//container.googleapis.com/projects/1/locations/europe-west1/clusters/c"
_ACTS = "acts"
_ASKED = {"config": "ceiling: approve"}
_DRILLS = {"config": f"ceiling: enforce\n{DRILL}"}
_OF_A_PROJECT = "projects/424242424242/sources/5678/locations/global/findings/{}"


def _of_a_project(pair: dict[str, Any], **place: str) -> None:
    """SCC is activated for the project alone: the finding's names are the project's."""
    finding, metadata = pair["finding"], pair["resource"]["gcpMetadata"]
    identity = finding["name"].rpartition("/")[2]
    parent = _OF_A_PROJECT.format("").removesuffix("/findings/")
    finding.update(name=_OF_A_PROJECT.format(identity), canonicalName=_OF_A_PROJECT.format(identity), parent=parent)
    metadata.pop("organization")
    metadata.update(place)


FINDINGS: tuple[Probe, ...] = (
    line(
        "SCC does not hold the finding",
        "believes the message: whoever can publish can aim it",
        "waits: unverified: SCC does not hold this finding",
        comes(held=False),
    ),
    line(
        "SCC holds an older event of it than the message tells",
        "believes the message",
        "waits: unverified: SCC holds an older state of this finding than the message tells",
        later_than_scc_knows,
    ),
    line(
        "SCC holds it for another service",
        "acts on the service that the message names",
        "records the plan: unverified: SCC holds this finding for another workload than the message tells",
        about_another_service,
    ),
    line(
        "SCC holds it with another category",
        "acts by the category that the message names",
        "declines: no policy matches",
        of_another_category,
    ),
    line(
        "SCC holds it for a GKE cluster",
        "acts on the Cloud Run service that the message names",
        "records the plan: unverified: as SCC holds the finding, the resource is a GKE workload (Container Threat Detection), not Cloud Run",
        held(lambda pair: (pair["finding"].update(resourceName=GKE), pair["resource"].update(name=GKE))),
    ),
    line(
        "SCC does not answer for ten minutes",
        "believes the message",
        "asks a person: unconfirmed: not confirmed by SCC: INTERNAL: planted by the sandbox; away: related findings in SCC cannot be reached; refuge: it is not known whether SCC holds a threat on checkout-00007-good",
        scc_away_for_ten_minutes,
    ),
    line(
        "SCC refuses to be asked",
        "takes the refusal for a yes",
        "asks a person: unconfirmed: not confirmed by SCC: PERMISSION_DENIED: The caller does not have permission to call google.cloud.securitycenter.v2.SecurityCenter/ListFindings.; refuge: it is not known whether SCC holds a threat on checkout-00007-good",
        world={"denied": ["*/ListFindings"]},
    ),
    line(
        "the source is `56789`; `5678` is allowed",
        "compares beginnings, and acts",
        "records the plan: source: SCC source 56789 is not listed in firebreak.yaml",
        comes(source="56789"),
    ),
    line(
        "the source is `567`; `5678` is allowed",
        "searches one in the other, and acts",
        "records the plan: source: SCC source 567 is not listed in firebreak.yaml",
        comes(source="567"),
    ),
    line(
        "no source is allowed: `sources: []`",
        "takes an empty list for all",
        "records the plan: source: SCC source 5678 is not listed in firebreak.yaml",
        sources="[]",
    ),
    line(
        "the organization is 1234567890123; ours is 123456789012",
        "compares beginnings, and acts",
        "declines: the finding belongs to organization 1234567890123, not to ours",
        comes(organization="1234567890123"),
    ),
    line(
        "a muted finding",
        _ACTS,
        "declines: the finding is muted in SCC",
        lambda on: on.respond(notification_v2(muted(on.finding()))),
    ),
    line(
        "an INACTIVE finding",
        _ACTS,
        "declines: the finding is INACTIVE in SCC",
        lambda on: on.respond(notification_v2(inactive(on.finding()))),
    ),
    line(
        "a deleted finding, which says of itself that it is ACTIVE",
        "contains a service because somebody tidied up",
        "declines: SCC says that this finding was deleted",
        lambda on: on.respond(notification_v2(on.finding(), deleted=True)),
    ),
    line(
        "muted in SCC since the message",
        "acts on what a person has judged",
        "declines: the finding is muted in SCC",
        held(lambda pair: pair["finding"].update(mute="MUTED")),
    ),
    line(
        "muted in SCC between question and answer",
        "carries out what was approved",
        "waits: deferred: the finding is muted in SCC; the approval is spent, and is asked for anew",
        asked_then(settled(mute="MUTED")),
        **_ASKED,
    ),
    line(
        "INACTIVE in SCC between question and answer",
        "carries out what was approved",
        "waits: deferred: the finding is INACTIVE in SCC; the approval is spent, and is asked for anew",
        asked_then(settled(state="INACTIVE")),
        **_ASKED,
    ),
    line(
        "muted in SCC while a halt held the finding up",
        "carries out what waited",
        "waits: settled: the finding is muted in SCC",
        halted_then(settled(mute="MUTED")),
    ),
    line(
        "gone from SCC between question and answer",
        "carries out what was approved",
        "waits: deferred: SCC does not hold this finding; the approval is spent, and is asked for anew",
        asked_then(lambda on: on.world.findings.clear()),
        **_ASKED,
    ),
    line(
        "SCC's finding names another service between question and answer",
        "carries out what was approved",
        "records the plan: the plan is recorded and nothing is written: policy always (enforce) matches; as SCC holds the finding, finding.resourceName and resource.name do not name the same workload",
        asked_then(settled(resourceName=f"{RUN}/payments")),
        **_ASKED,
    ),
    line(
        "finding and resource name two services: `checkout` and `check`",
        "takes one of them",
        "declines: finding.resourceName and resource.name do not name the same workload",
        everywhere(lambda pair: pair["resource"].update(name=f"{RUN}/check")),
    ),
    line(
        "the host is `run.googleapis.com.attacker.net`",
        "compares the beginning of the host, and acts",
        "declines: the resource is not on run.googleapis.com",
        comes(resource_name=f"{RUN}/checkout".replace("googleapis.com", "googleapis.com.attacker.net")),
    ),
    line(
        "the service is `checkout.attacker.net`",
        "takes what stands before the first dot",
        "asks for help: nothing can be done: pin_previous_revision: the settings of this service could not be read: NOT_FOUND: Resource 'checkout.attacker.net' of kind 'SERVICE' does not exist.",
        comes(resource_name=f"{RUN}/checkout.attacker.net"),
    ),
    line(
        "`services/payments/../checkout`",
        "leaves the path to whoever is called",
        "asks a person: evidence: needed sources without an answer: workload; name: what the finding is about cannot be read: the resource name has a part that no Cloud Run resource can have (//run.googleapis.com/projects/shop-prod/locations/europe-west1/services/payments/../checkout)",
        comes(resource_name=f"{RUN}/payments/../checkout"),
    ),
    line(
        "`services/checkout/`",
        "reads a revision without a name",
        "asks a person: evidence: needed sources without an answer: workload; name: what the finding is about cannot be read: the resource name has a part that no Cloud Run resource can have (//run.googleapis.com/projects/shop-prod/locations/europe-west1/services/checkout/)",
        comes(resource_name=f"{RUN}/checkout/"),
    ),
    line(
        "`services/check%6fut`",
        "decodes it somewhere on the way",
        "asks a person: evidence: needed sources without an answer: workload; name: what the finding is about cannot be read: the resource name has a part that no Cloud Run resource can have (//run.googleapis.com/projects/shop-prod/locations/europe-west1/services/check%6fut)",
        comes(resource_name=f"{RUN}/check%6fut"),
    ),
    line(
        "`Services/checkout`, in the wrong case",
        "ignores case, and acts",
        "asks a person: evidence: needed sources without an answer: workload; name: what the finding is about cannot be read: the resource is not a service, job, worker pool or instance of Cloud Run (//run.googleapis.com/projects/shop-prod/locations/europe-west1/Services/checkout)",
        comes(resource_name=f"{RUN}/checkout".replace("services", "Services")),
    ),
    line(
        "a GKE workload of the same name",
        "acts on the Cloud Run service of that name",
        "declines: the resource is a GKE workload (Container Threat Detection), not Cloud Run",
        lambda on: on.respond(notification_v2(gke_twin(Scene()))),
    ),
    line(
        "no resource at all",
        "takes what it saw last",
        "declines: the finding names no resource",
        everywhere(lambda pair: (pair["resource"].clear(), pair["finding"].pop("resourceName"))),
    ),
    line(
        "no event time",
        "takes now, so that nothing is ever stale",
        "dead letter: the finding's eventTime is missing or not an RFC 3339 time",
        told(without("finding", "eventTime")),
    ),
    line(
        "an event time that is a number",
        "reads seconds, or milliseconds, or 1970",
        "dead letter: the finding's eventTime is missing or not an RFC 3339 time",
        told(lambda body: body["finding"].update(eventTime=1790848800)),
    ),
    line(
        "an event time of next week",
        "never finds it stale, and acts",
        "asks a person: stale: the event is dated 10080 minutes after it arrived",
        comes(minutes_ago=-7 * 24 * 60),
    ),
    line(
        "a finding of a project, and nothing says of which organization that is",
        "takes it for its own",
        "records the plan: unverified: neither the finding's name nor its resource says of which organization it is",
        everywhere(_of_a_project),
    ),
    line(
        "a finding of a project that is another organization's",
        "takes it for its own",
        "declines: the finding belongs to organization 987654321098, not to ours",
        everywhere(lambda pair: _of_a_project(pair, organization="organizations/987654321098")),
    ),
    line(
        "a finding on production in the source of drills",
        "takes whoever may rehearse for one who may aim",
        "records the plan: source: SCC source 9999 is the drill's, and this is not the canary of a drill that was announced",
        comes(source="9999"),
        **_DRILLS,
    ),
    line(
        "production is announced as the canary of a drill first",
        "believes the command",
        "records the plan: source: SCC source 9999 is the drill's, and this is not the canary of a drill that was announced",
        comes(source="9999"),
        **_DRILLS,
        prepare=lambda on: announced(on, SERVICE),
    ),
    line(
        "name and canonicalName name two findings",
        "confirms one and acts on the other",
        "dead letter: the finding's name and canonicalName are of two findings",
        told(lambda body: body["finding"].update(canonicalName="projects/1/sources/5678/locations/global/findings/x")),
    ),
)
