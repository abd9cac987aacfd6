"""What tests of the way back share: plans on several surfaces, and what a release did with each key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from firebreak.adapters.log import log_json
from firebreak.core.incidents.incident import Incident
from firebreak.policy_folder import load_policies
from sandbox.world import World
from tests.laws.grounds import WRITES, grants
from tests.response.harness import ALWAYS, BAD, GOOD, OLD, ON_LATEST, REVISIONS, SERVICE, Line, Told, revision, world_of

PIN, CUT, REVOKE = "{action: pin_previous_revision}", "{action: cut_traffic}", "{action: revoke_public_access}"
SUSPEND, BLOCK, DISABLE = "{action: suspend}", "{action: block_runs}", "{action: disable_service_account}"
SPLIT, INGRESS, DIRECT = "service.traffic.split", "service.ingress", "service.default_uri_disabled"
PUBLIC = "service_iam.roles/run.invoker||allUsers"
PAY, PAYMENTS = "pay@shop-prod.iam.gserviceaccount.com", "payments@shop-prod.iam.gserviceaccount.com"
ACCOUNT = f"projects/shop-prod/serviceAccounts/{PAY}"
ACCOUNT_KEY = f"service_account.{PAY}"
FIX = revision("checkout-00009-fix", 9, "-1s")

HERE, THERE = "europe-west1", "us-east1"
ELSEWHERE = SERVICE.replace(HERE, THERE)
OTHER_GOOD, OTHER_BAD = "checkout-00001-usg", "checkout-00002-usb"

_WRITES = frozenset(
    {*(method.rpartition("/")[2] for method in WRITES.values()), "EnableServiceAccount"},
)


def policy(*steps: str, mode: str = "enforce", more: str = "") -> str:
    """A policy with these steps, for every finding of the category."""
    return ALWAYS.replace("mode: enforce", f"mode: {mode}\n{more}", 1).replace(
        "then: [{action: pin_previous_revision, otherwise: [{action: cut_traffic}]}]", f"then: [{', '.join(steps)}]"
    )


def in_two_regions(**service: Any) -> World:
    """The checkout service here and there, whose revisions have names of their own."""
    common = {"public": True, "updated": "-3h", "traffic": list(ON_LATEST), "regions": [HERE, THERE], **service}
    there = [revision(OTHER_GOOD, 7, "-10d"), revision(OTHER_BAD, 8, "-3h")]
    return world_of(
        services=[
            {"name": SERVICE, "revisions": list(REVISIONS), **common},
            {"name": ELSEWHERE, "revisions": there, **common},
        ]
    )


def running_as(account: str = PAY, *others: str, **more: Any) -> World:
    """The checkout service runs as the account; the others exist too."""
    emails = [{"email": one} for one in (account, *others)]
    return world_of(service={"service_account": account, **more}, service_accounts=emails)


def half_released(on: Line) -> Incident:
    """The traffic is back, and the organization lets nobody make the service public again."""
    incident = contained(on)
    on.world.admits_public_members = False
    on.release(incident)
    return on.read(incident)


def decided_by(on: Line, text: str) -> None:
    """From now on it is this policy that decides."""
    folder = on.app.settings.policies
    (folder / "10.yaml").write_text(text)
    on.app = replace(on.app, policies=load_policies(folder, log_json))


def approve(on: Line, incident: Incident) -> Told:
    """The yes of a person to what is asked now."""
    question = on.read(incident).question
    return on.command("approve", incident, digest=question.digest if question else "")


def contained(on: Line, **finding: Any) -> Incident:
    """Found, and contained; a person has agreed where one was asked, also to what the API takes instead."""
    incident = on.respond(on.finding(**finding))
    for _ in range(2):
        if incident.phase == "waiting":
            approve(on, incident)
            incident = on.read(incident)
    assert incident.phase == "contained", incident.history[-1].what
    return incident


def phase(on: Line, incident: Incident) -> str:
    """As the record tells it now."""
    return str(on.shown(on.read(incident))["phase"])


def results(on: Line, incident: Incident, target: str = "") -> dict[str, str]:
    """Key to what became of it in the last release, of the targets whose name has this in it."""
    told = on.shown(on.read(incident)).get("release") or {"keys": []}
    return {one["key"]: one["result"] for one in told["keys"] if target in one["target"]}


def details(on: Line, incident: Incident) -> dict[str, str]:
    """Key to the sentence about it."""
    told = on.shown(on.read(incident)).get("release") or {"keys": []}
    return {one["key"]: one["detail"] for one in told["keys"]}


def writes(on: Line) -> list[str]:
    """The methods that wrote something, or tried to, in their order; questions to Cloud Run are none."""
    called = [(call.method.rpartition("/")[2], call.request) for call in on.sandbox.wire.calls]
    return [name for name, request in called if name in _WRITES and not getattr(request, "validate_only", False)]


def masks(on: Line) -> list[set[str]]:
    """What each update of the service named, by the first word of each path."""
    return [{path.partition(".")[0] for path in call.request.update_mask.paths} for call in on.updates]


def serving(on: Line, name: str = SERVICE) -> dict[str, int]:
    """What gets requests, and how many in a hundred."""
    return {one.revision: one.percent for one in on.world.service(name).service.traffic_statuses if one.percent}


def wished(on: Line, name: str = SERVICE) -> dict[str, int]:
    """The same as it is written down, LATEST by that name."""
    return {one.revision or "LATEST": one.percent for one in on.world.service(name).service.traffic if one.percent}


def tags(on: Line, name: str = SERVICE) -> dict[str, str]:
    return {one.tag: one.revision for one in on.world.service(name).service.traffic_statuses if one.tag}


def doors(on: Line, name: str = SERVICE) -> tuple[int, bool]:
    """Ingress (1 is all, 2 internal, 4 none), and whether the direct address is off."""
    service = on.world.service(name).service
    return int(service.ingress) or 1, service.default_uri_disabled


def is_public(on: Line, name: str = SERVICE) -> bool:
    return any(member == "allUsers" for _, _, member in grants(on.world.service(name).policy))


def is_disabled(on: Line, email: str = PAY) -> bool:
    return bool(on.world.accounts[email].account.disabled)


def made_anew(on: Line, **service: Any) -> None:
    """Somebody deletes the service and deploys it again under its name, as it was unless told otherwise."""
    on.world.delete(SERVICE)
    images: Iterable[tuple[str, int, str]] = ((OLD, 6, "-3s"), (GOOD, 7, "-2s"), (BAD, 8, "-1s"))
    on.world.add_service(
        {
            "name": SERVICE,
            "public": True,
            "created": "-4s",
            "updated": "-1s",
            "last_modifier": "dev@shop.example",
            "revisions": [revision(*one) for one in images],
            "traffic": list(ON_LATEST),
            **service,
        }
    )


def fix_deployed_and_bad_revision_deleted(on: Line) -> None:
    """What Google advises: a new deployment first, for the newest revision cannot be deleted."""
    on.world.deploy("checkout", FIX)
    on.world.delete(f"{SERVICE}/revisions/{BAD}")
