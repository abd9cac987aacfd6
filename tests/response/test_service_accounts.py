"""The identity of suspects: disabled for all that use it, held by all who asked for it, given back; over the wire."""

from __future__ import annotations

import re
from typing import Any

import pytest

from firebreak.core.incidents.incident import Incident
from firebreak.response import pipeline
from sandbox.wire import Fault, Meanwhile
from sandbox.world import World
from tests.response.harness import ALWAYS, BAD, GOOD, SERVICE, Line, Lines, revision
from tests.response.harness import world_of as services_of

pytestmark = pytest.mark.thorough

PAY, PAYMENTS = "pay@shop-prod.iam.gserviceaccount.com", "payments@shop-prod.iam.gserviceaccount.com"
SAME_NAME = "pay@shop-test.iam.gserviceaccount.com"
COMPUTE = "424242424242-compute@developer.gserviceaccount.com"
APP_ENGINE = "shop-prod@appspot.gserviceaccount.com"
AGENT = "service-424242424242@gcp-sa-pubsub.iam.gserviceaccount.com"
DISABLE, ENABLE = "*/DisableServiceAccount", "*/EnableServiceAccount"
STEP = "{action: disable_service_account}"
BASKET = SERVICE.replace("checkout", "basket")


def policy(*steps: str) -> str:
    return ALWAYS.replace(
        "then: [{action: pin_previous_revision, otherwise: [{action: cut_traffic}]}]", f"then: [{', '.join(steps)}]"
    )


def world_of(account: str = PAY, *others: str, **more: Any) -> World:
    """The checkout service runs as the account; the others are accounts that it does not run as."""
    accounts = [
        {"email": one, "project": "shop-test" if one == SAME_NAME else "shop-prod"} for one in (account, *others)
    ]
    return services_of(service={"service_account": account}, service_accounts=accounts, **more)


def disabled(on: Line) -> set[str]:
    return {email for email, one in on.world.accounts.items() if one.account.disabled}


def made(on: Line, method: str = DISABLE) -> int:
    return len(on.sandbox.wire.calls_to(method))


def approved(on: Line, **finding: Any) -> Incident:
    """Found, asked about, and agreed to."""
    incident = on.respond(on.finding(**finding))
    assert incident.phase == "waiting"
    on.approve(incident)
    return on.read(incident)


def released(on: Line, incident: Incident) -> Incident:
    answered = on.release(incident, "ada")
    assert answered is not None
    assert answered.done, answered.says
    return on.read(incident)


def reasons(incident: Incident) -> list[str]:
    return [one.reason for one in incident.plan.refusals] if incident.plan else []


def test_the_account_of_the_suspects_is_disabled_after_a_question_and_no_other(line: Lines) -> None:
    """Neither one whose name begins alike, nor one of that name in another project."""
    with line(world_of(PAY, PAYMENTS, SAME_NAME), policy=policy(STEP)) as on:
        incident = approved(on)

        assert incident.phase == "contained"
        assert disabled(on) == {PAY}
        assert [cap["name"] for cap in on.shown(incident)["decision"]["caps"]] == ["shared"]


def test_the_question_and_the_record_say_who_stops_with_it(line: Lines) -> None:
    with line(world_of(), policy=policy(STEP)) as on:
        on.world.add_service(
            {"name": BASKET, "service_account": PAY, "revisions": [revision("basket-00001", 5, "-3h")]}
        )
        incident = approved(on)
        said = f"{PAY} is also the identity of service basket in europe-west1; not checked: Compute Engine"

        assert said in next(one.what for one in incident.history if "asks a person" in one.what)
        assert any(said in text for text in incident.still_open)
        assert len(on.sandbox.wire.calls_to("*/ListServices")) == 2  # for the question, and again before the write


def test_what_is_open_on_the_service_is_said_though_the_account_alone_was_changed(line: Lines) -> None:
    """When it was contained, and again when it is reviewed."""
    with line(world_of(), policy=policy(STEP)) as on:
        incident = approved(on)
        reviewed = on.command("review", incident, "ada")
        suspect = f"suspect {BAD} can still be reached from the internet"

        assert any(text.startswith(suspect) for text in incident.still_open)
        assert reviewed is not None
        assert any(text.startswith(suspect) for text in reviewed.held.incident.still_open)


def test_it_stands_beside_the_pin_and_one_release_gives_both_back(line: Lines) -> None:
    """Whatever the order of the steps: Cloud Run may take no update of what runs as a disabled account."""
    with line(world_of(), policy=policy(STEP, "{action: pin_previous_revision}")) as on:
        incident = approved(on)
        closed = (BAD in on.reachable, disabled(on))
        released(on, incident)

        assert not any("credentials of" in line for line in incident.still_open)
        assert closed == (False, {PAY})
        assert BAD in on.reachable
        assert disabled(on) == set()
        assert (made(on), made(on, ENABLE)) == (1, 1)
        assert [one["surface"] for one in on.shown(incident)["plan"]["changes"]] == ["service", "service_account"]
        assert on.shown(incident)["undo"][0] == f"gcloud iam service-accounts enable {PAY} --project=shop-prod"


def test_two_incidents_share_one_account_and_the_last_release_enables_it(line: Lines) -> None:
    """Each of them on a service of its own. The second has nothing to close, so it joins and asks nobody."""
    world = world_of()
    world.add_service(
        {"name": BASKET, "service_account": PAY, "updated": "-3h", "revisions": [revision("basket-00001", 8, "-3h")]}
    )
    with line(world, policy=policy(STEP)) as on:
        first = approved(on)
        second = on.respond(on.finding(finding_id="second", workload="services/basket"))
        released(on, first)
        between = disabled(on)
        released(on, second)

        assert (first.phase, second.phase) == ("contained", "contained")
        assert between == {PAY}
        assert disabled(on) == set()
        assert (made(on), made(on, ENABLE)) == (1, 1)


@pytest.mark.parametrize("account", [COMPUTE, APP_ENGINE])
def test_a_default_account_is_disabled_only_where_the_step_allows_it(line: Lines, account: str) -> None:
    with line(world_of(account), policy=policy(STEP)) as on:
        refused = on.respond(on.finding())

        assert refused.phase in ("waiting", "failed")
        assert f"{account} is a default service account" in reasons(refused)[0]
        assert made(on) == 0
    with line(world_of(account), policy=policy("{action: disable_service_account, allow_default: true}")) as on:
        incident = approved(on, finding_id="another")

        assert incident.phase == "contained"
        assert disabled(on) == {account}


def test_an_agent_of_googles_is_never_disabled(line: Lines) -> None:
    with line(world_of(AGENT), policy=policy("{action: disable_service_account, allow_default: true}")) as on:
        incident = on.respond(on.finding())

        assert made(on) == 0
        assert "is not a service account of anybody's workload" in reasons(incident)[0]


def test_what_names_no_account_is_not_guessed_at_and_the_other_way_follows(line: Lines) -> None:
    step = "{action: disable_service_account, otherwise: [{action: cut_traffic}]}"
    with line(world_of(PAY), policy=policy(step)) as on:
        on.world.edit("checkout", template={"service_account": ""})
        incident = approved(on)

        assert incident.phase == "contained"
        assert disabled(on) == set()
        assert on.world.service("checkout").service.ingress == 4
        assert reasons(incident)[0].startswith("no suspect names the service account")


def test_the_account_of_the_suspect_revision_counts_and_not_that_of_the_newest_settings(line: Lines) -> None:
    revisions = (revision(GOOD, 7, "-10d", service_account=PAYMENTS), revision(BAD, 8, "-3h", service_account=PAY))
    world = services_of(
        revisions, service={"service_account": PAYMENTS}, service_accounts=[{"email": PAY}, {"email": PAYMENTS}]
    )
    with line(world, policy=policy(STEP)) as on:
        incident = approved(on)

        assert incident.phase == "contained"
        assert disabled(on) == {PAY}


def test_where_iam_denies_it_the_record_says_so_and_otherwise_does_not_follow(line: Lines) -> None:
    step = "{action: disable_service_account, otherwise: [{action: cut_traffic}]}"
    with line(world_of(denied=[DISABLE]), policy=policy(step)) as on:
        incident = approved(on)

        assert incident.phase == "failed"
        assert [one.status for one in incident.outcomes] == ["Failure"]
        assert "PERMISSION_DENIED" in incident.outcomes[0].detail
        assert any("PERMISSION_DENIED" in line for line in incident.still_open)
        assert on.world.service("checkout").service.ingress == 1
        assert not on.app.ledger.standing_at(f"service_account/{PAY}")[0].holds


PIN = "{action: pin_previous_revision}"
OR_CUT = STEP.replace("}", ", otherwise: [{action: cut_traffic}]}")


@pytest.mark.parametrize("steps", [(OR_CUT,), (PIN, OR_CUT)], ids=["alone", "beside a pin"])
def test_where_it_fails_for_good_the_fallback_follows_under_the_same_yes(steps: tuple[str, ...], line: Lines) -> None:
    with line(world_of(PAY), policy=policy(*steps)) as on:
        on.sandbox.wire.inject(Fault(DISABLE, "error", code="FAILED_PRECONDITION", times=None))
        incident = approved(on)

        assert incident.phase == "contained"
        assert disabled(on) == set()
        assert on.world.service("checkout").service.ingress == 4


def test_a_fallback_that_is_no_longer_as_it_was_shown_is_asked_about(line: Lines) -> None:
    step = STEP.replace("}", ", otherwise: [{action: revoke_public_access}]}")
    with line(world_of(PAY), policy=policy(step)) as on:
        on.sandbox.wire.inject(Fault(DISABLE, "error", code="FAILED_PRECONDITION", times=None))
        anybody = {"role": "roles/run.invoker", "members": ["allUsers", "allAuthenticatedUsers"]}
        on.sandbox.wire.meanwhile(Meanwhile(DISABLE, lambda: on.world.set_grants(SERVICE, anybody)))
        incident = approved(on)

        assert incident.phase == "waiting"
        assert disabled(on) == set()


def test_an_account_that_cannot_be_read_is_not_disabled_and_that_is_said(line: Lines) -> None:
    with line(world_of(denied=["*/GetServiceAccount"]), policy=policy(STEP)) as on:
        incident = on.respond(on.finding())

        assert made(on) == 0
        assert f"service_account could not be read: {PAY}: PERMISSION_DENIED" in reasons(incident)[0]


def test_an_account_that_vanishes_before_the_answer_ends_as_one_that_does_not_exist(line: Lines) -> None:
    with line(world_of(), policy=policy(STEP)) as on:
        incident = on.respond(on.finding())
        on.world.accounts.clear()
        on.approve(incident)
        after = on.read(incident)

        assert after.phase == "failed"
        assert [one.status for one in after.outcomes] == ["Does Not Exist"]


def test_reads_that_lag_are_no_drift_and_lead_to_no_second_write(line: Lines) -> None:
    """IAM may show the account as it was for a moment after the write."""
    with line(world_of(), policy=policy(STEP)) as on:
        on.world.stale_account_reads = 2
        incident = approved(on)
        released(on, incident)

        assert incident.phase == "contained"
        assert disabled(on) == set()
        assert (made(on), made(on, ENABLE)) == (1, 1)


def test_a_person_who_enables_it_again_is_reported_and_left_alone(line: Lines) -> None:
    with line(world_of(), policy=policy(STEP)) as on:
        incident = approved(on)
        on.world.accounts[PAY].set(disabled=False)
        pipeline.sweep(on.app)
        told = on.read(incident)
        released(on, incident)

        assert any(f"service_account.{PAY}" in one.what and "enabled" in one.what for one in told.history)
        assert disabled(on) == set()
        assert (made(on), made(on, ENABLE)) == (1, 0)


def test_one_that_a_person_disabled_before_the_answer_is_theirs_and_not_written(line: Lines) -> None:
    with line(world_of(), policy=policy(STEP)) as on:
        incident = on.respond(on.finding())
        on.world.accounts[PAY].set(disabled=True)
        on.approve(incident)
        after = on.read(incident)
        on.release(incident, "ada")

        assert after.phase == "contained"
        assert disabled(on) == {PAY}
        assert (made(on), made(on, ENABLE)) == (0, 0)


def test_one_that_was_disabled_already_is_no_write_and_stays_so_after_the_release(line: Lines) -> None:
    world = world_of()
    world.accounts[PAY].account.disabled = True
    with line(world, policy=policy(STEP)) as on:
        incident = on.respond(on.finding())
        on.release(incident, "ada")

        assert incident.phase == "contained"
        assert disabled(on) == {PAY}
        assert made(on) == 0


def test_what_google_disabled_meanwhile_is_said_to_stay_so(line: Lines) -> None:
    """It is not ours to give back."""
    with line(world_of(), policy=policy(STEP)) as on:
        incident = approved(on)
        on.world.accounts[PAY].by_google = True
        refused = on.release(incident, "ada")

        assert not refused.done
        assert re.search(r"the containment still stands: .*pay@.* was disabled by Google", refused.says)
        assert disabled(on) == {PAY}


def test_an_account_of_firebreaks_own_project_is_never_disabled(line: Lines) -> None:
    own = "//run.googleapis.com/projects/shop-test/locations/europe-west1/services/firebreak"
    with line(world_of(SAME_NAME), policy=policy(STEP), FIREBREAK_SELF=own) as on:
        incident = on.respond(on.finding())

        assert incident.phase == "monitored"
        assert made(on) == 0


def test_a_crash_between_write_and_answer_is_mended_without_another_write(line: Lines) -> None:
    with line(world_of(), policy=policy(STEP)) as on:
        incident = on.respond(on.finding())
        on.sandbox.wire.inject(Fault(DISABLE, "lost_answer"))
        on.approve(incident)
        after = on.read(incident)

        assert after.phase == "contained"
        assert made(on) == 1
