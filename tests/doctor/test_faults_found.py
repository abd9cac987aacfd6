"""Each fault that is planted in a healthy deployment is found, with the line that mends it, and no other is."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from firebreak.adapters.storage.sqlite import SqliteDocuments
from firebreak.core.signing import Seal
from firebreak.ledger.documents import Save
from firebreak.ledger.halts import Halts
from firebreak.ledger.ledger import Ledger
from sandbox.administration.deployment import account
from sandbox.scc.notifications import Scene, malicious_binary_finding
from sandbox.scc.security_center import put_finding
from tests.cli.commands import Told, incident
from tests.doctor.deployed import PACKAGE, Site
from tests.ledger.stores import taken

pytestmark = pytest.mark.thorough

Plant = Callable[[Site], Any]
FUNCTION = "projects/acme-firebreak/locations/europe-west1/functions/firebreak-on-finding"
CONFIG = "organizations/123456789012/locations/global/notificationConfigs/firebreak-findings"
KEY = b"0123456789"
PUSHED = "projects/acme-firebreak/subscriptions/firebreak-on-finding"


def dropped(host: str, name: str) -> Plant:
    return lambda at: at.world.resources.pop(f"//{host}.googleapis.com/{name}")


def changed(host: str, name: str, **fields: Any) -> Plant:
    return lambda at: at.resource(host, name).update(fields)


def figure(metric: str, **of: int) -> Plant:
    return lambda at: at.world.figures.update({metric: {name.replace("_", "-"): count for name, count in of.items()}})


def a_binding_gone(at: Site) -> None:
    folder = at.world.bindings["//cloudresourcemanager.googleapis.com/folders/7001"]
    folder[:] = [
        one for one in folder if not (one["role"].endswith("contain") and account("on-finding") in one["members"][0])
    ]


def a_permission_short(at: Site) -> None:
    role = at.resource("iam", "organizations/123456789012/roles/firebreak_read")
    role["includedPermissions"].remove("run.jobs.get")


def a_category_left_out(at: Site) -> None:
    config = at.resource("securitycenter", at.deployment["deliveries"]["global"])
    told = config["streamingConfig"]["filter"]
    config["streamingConfig"] = {"filter": told.replace(' OR category = "Execution: Reverse Shell"', "")}


def a_wider_filter(at: Site) -> None:
    config = at.resource("securitycenter", CONFIG)
    told = config["streamingConfig"]["filter"]
    config["streamingConfig"] = {"filter": told.replace(' AND NOT mute = "MUTED"', "")}


def gives_up_early(at: Site) -> None:
    at.resource("pubsub", PUSHED)["deadLetterPolicy"]["maxDeliveryAttempts"] = 5


def a_disabled_number(at: Site) -> None:
    name = "projects/acme-firebreak/secrets/firebreak-virustotal-api-key/versions/3"
    at.deployment["secrets"]["VIRUSTOTAL_API_KEY"] = name
    at.world.resources[f"//secretmanager.googleapis.com/{name}"] = {"name": name, "state": "DISABLED"}


def set_aside(at: Site) -> None:
    body = {"format": 99, "acts_from": 98, "blob": "x"}
    SqliteDocuments(at.folder / "ledger.sqlite").commit([Save("incident", "fb-0123456789abcdef", body)])


def forged(at: Site) -> None:
    """By somebody without the key, which is at hand where this is looked at."""
    recorded("monitored", str(PACKAGE["policy_set"]))(at)
    documents = SqliteDocuments(at.folder / "ledger.sqlite")
    (one,) = documents.newest("incident", 1)
    body = {**one.body, "sealed": one.body["sealed"].replace('"monitored"', '"released"')}
    documents.commit([Save(one.kind, one.key, body, over=one)])
    (at.folder / "state" / "firebreak" / "seal.key").write_bytes(KEY)


def another_archive(at: Site) -> None:
    line = next(one for one in at.world.logs if one["insertId"] == "firebreak-on-finding-00001-abc")
    line["jsonPayload"]["contents"] = "cd" * 32


def a_revision_that_does_not_start(at: Site) -> None:
    revision = {"name": "firebreak-on-finding-00002-bad", "image": 2, "created": "-1h"}
    at.world.deploy_broken("firebreak-on-finding", revision)


def nobody_calls(at: Site) -> None:
    at.world.set_grants("projects/acme-firebreak/locations/europe-west1/services/firebreak-on-finding")


def another_account(at: Site) -> None:
    at.resource("cloudfunctions", FUNCTION)["serviceConfig"]["serviceAccountEmail"] = "default@acme.example"


def a_secret_that_is_not_read(at: Site) -> None:
    at.world.bindings["//secretmanager.googleapis.com/projects/acme-firebreak/secrets/firebreak-seal-key"].pop()


def another_ceiling(at: Site) -> None:
    at.resource("cloudfunctions", FUNCTION)["serviceConfig"]["environmentVariables"] = {"FIREBREAK_CEILING": "enforce"}


def a_low_ceiling_in_the_archive(at: Site) -> None:
    at.deployment["ceiling"] = "enforce"
    for name in ("on-finding", "on-command"):
        found = at.resource("cloudfunctions", FUNCTION.replace("on-finding", name))
        found["serviceConfig"]["environmentVariables"] = {"FIREBREAK_CEILING": "enforce"}


def an_index_gone(at: Site) -> None:
    name = next(one for one in at.world.resources if "/collectionGroups/incident/indexes/" in one)
    del at.world.resources[name]


def a_lifetime_gone(at: Site) -> None:
    name = next(one for one in at.world.resources if "/collectionGroups/event/fields/" in one)
    del at.world.resources[name]


def halted(at: Site) -> None:
    Halts(SqliteDocuments(at.folder / "ledger.sqlite"), time.time_ns).halt("a drill", "ada")


def a_new_detector(at: Site) -> None:
    moment = (dt.datetime.now(dt.UTC) - dt.timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    pair = malicious_binary_finding(Scene(category="Execution: Something New", event_time=moment))
    put_finding(at.world, pair["finding"], pair["resource"])


def recorded(phase: str, policy_set: str) -> Plant:
    """One incident on the ledger."""

    def plant(at: Site) -> None:
        ledger = Ledger(SqliteDocuments(at.folder / "ledger.sqlite"), "tests", time.time_ns, Seal((KEY,)))
        told = incident(phase)
        assert told.decision is not None
        decided = replace(told.decision, policy_set=policy_set)
        ledger.save(taken(ledger, told.finding), replace(told, decision=decided, created_ns=time.time_ns()))

    return plant


def anybody_calls(at: Site) -> None:
    name = "projects/acme-firebreak/locations/europe-west1/services/firebreak-on-command"
    invoker = "serviceAccount:firebreak-on-command-push@acme-firebreak.iam.gserviceaccount.com"
    at.world.set_grants(name, {"role": "roles/run.invoker", "members": [invoker, "allUsers"]})


def shared(on: str, member: str) -> Plant:
    return lambda at: at.world.bindings[on][0]["members"].append(member)


FAULTS: dict[str, tuple[Plant, str, str]] = {
    "an API is disabled": (
        dropped("serviceusage", "projects/acme-firebreak/services/run.googleapis.com"),
        "the APIs: run.googleapis.com is not enabled",
        "gcloud services enable run.googleapis.com --project=acme-firebreak",
    ),
    "a binding is gone": (
        a_binding_gone,
        "what each identity may do: firebreak-on-finding on folders/7001: run.executions.cancel,",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "a role is disabled": (
        changed("iam", "organizations/123456789012/roles/firebreak_act_as", stage="DISABLED"),
        "the role firebreak_act_as is disabled and grants nothing: iam.serviceAccounts.actAs",
        "gcloud iam roles update firebreak_act_as --stage=GA --organization=123456789012",
    ),
    "a role lacks a permission": (
        a_permission_short,
        "on organizations/123456789012: run.jobs.get is not granted",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "nothing delivers findings": (
        dropped("securitycenter", CONFIG),
        "the delivery of findings: the delivery of findings in global does not exist",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "the filter leaves a category out": (
        a_category_left_out,
        "the filter in global leaves out what a policy asks for: Execution: Reverse Shell",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "findings go elsewhere": (
        changed("securitycenter", CONFIG, pubsubTopic="projects/acme-firebreak/topics/elsewhere"),
        "findings in global go to projects/acme-firebreak/topics/elsewhere",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "the filter was widened": (
        a_wider_filter,
        "the filter in global is not the one that was applied: state = ",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "a topic is gone": (
        lambda at: at.world.topics.pop("projects/acme-firebreak/topics/firebreak-unreadable"),
        "topics and subscriptions: the topic firebreak-unreadable does not exist",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "the commands topic is gone": (
        lambda at: at.world.topics.pop("projects/acme-firebreak/topics/firebreak-commands"),
        "topics and subscriptions: the topic firebreak-commands does not exist",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "a subscription is gone": (
        dropped("pubsub", PUSHED),
        "topics and subscriptions: the subscription firebreak-on-finding does not exist",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "a function is gone": (
        dropped("cloudfunctions", FUNCTION),
        "the functions: the function on-finding does not exist",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "the bucket is gone": (
        dropped("storage", "acme-firebreak-firebreak-evidence"),
        "the evidence: the bucket acme-firebreak-firebreak-evidence does not exist",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "the calls were stopped": (
        changed("pubsub", PUSHED, pushConfig={}),
        "topics and subscriptions: firebreak-on-finding calls no function, so that messages only wait",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "the wrong address is called": (
        changed("pubsub", PUSHED, pushConfig={"pushEndpoint": "https://elsewhere.example"}),
        "firebreak-on-finding calls https://elsewhere.example, and the function is at https://firebreak-on-finding-",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "nothing is delivered again": (
        changed("pubsub", PUSHED, retryPolicy={}),
        "firebreak-on-finding does not deliver again after 10s to 600s",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "an answer is not waited for": (
        changed("pubsub", PUSHED, ackDeadlineSeconds=10),
        "firebreak-on-finding waits 10 s for an answer instead of 180",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "another topic is taken from": (
        changed("pubsub", PUSHED, topic="projects/acme-firebreak/topics/firebreak-incidents"),
        "firebreak-on-finding takes from projects/acme-firebreak/topics/firebreak-incidents instead of projects/acme-",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "a message is given up early": (
        gives_up_early,
        "firebreak-on-finding gives up after 5 attempts instead of 20",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "dead letters are lost": (
        changed("pubsub", PUSHED, deadLetterPolicy={}),
        "firebreak-on-finding does not put what it cannot deliver on firebreak-on-finding-dead",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "a dead letter waits": (
        figure(
            "pubsub.googleapis.com/subscription/num_undelivered_messages",
            firebreak_on_command_kept=0,
            firebreak_on_finding_kept=3,
            firebreak_records_kept=0,
            firebreak_unreadable_kept=0,
        ),
        "dead letters: firebreak-on-finding-kept keeps 3",
        "gcloud pubsub subscriptions pull firebreak-on-finding-kept --limit=10 --format=json --project=acme-firebreak",
    ),
    "a function does not start": (
        changed("cloudfunctions", FUNCTION, state="FAILED", stateMessages=[{"message": "the container did not start"}]),
        "the functions: on-finding is FAILED: the container did not start",
        "gcloud logging read 'severity>=ERROR' --project=acme-firebreak --freshness=1d",
    ),
    "a function is of another archive": (
        another_archive,
        "the functions: firebreak-on-finding-00001-abc of on-finding was packed from cdcdcdcdcdcd, and ababababab",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "the newest revision does not start": (
        a_revision_that_does_not_start,
        "firebreak-on-finding-00002-bad, the newest of on-finding, is not ready, and firebreak-on-finding-00001-abc",
        "gcloud logging read 'severity>=ERROR' --project=acme-firebreak --freshness=1d",
    ),
    "a function runs as another": (
        another_account,
        "the functions: on-finding runs as default@acme.example instead of firebreak-on-finding@",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "nobody may call a function": (
        nobody_calls,
        "firebreak-on-finding-push@acme-firebreak.iam.gserviceaccount.com lacks roles/run.invoker on services/",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "anybody may call a function": (
        anybody_calls,
        "allUsers has roles/run.invoker on services/firebreak-on-command too, and should not",
        (
            "gcloud run services remove-iam-policy-binding firebreak-on-command --member=allUsers"
            " --role=roles/run.invoker --project=acme-firebreak --region=europe-west1"
        ),
    ),
    "somebody else commands": (
        shared("//pubsub.googleapis.com/projects/acme-firebreak/topics/firebreak-commands", "user:eve@acme.example"),
        "user:eve@acme.example has roles/pubsub.publisher on topics/firebreak-commands too, and should not",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "somebody else reads a secret": (
        shared(
            "//secretmanager.googleapis.com/projects/acme-firebreak/secrets/firebreak-seal-key", "user:eve@acme.example"
        ),
        "user:eve@acme.example has roles/secretmanager.secretAccessor on secrets/firebreak-seal-key too",
        (
            "gcloud secrets remove-iam-policy-binding firebreak-seal-key --member=user:eve@acme.example"
            " --role=roles/secretmanager.secretAccessor --project=acme-firebreak"
        ),
    ),
    "the seal key may not be read": (
        a_secret_that_is_not_read,
        "lacks roles/secretmanager.secretAccessor on secrets/firebreak-seal-key",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "a ceiling was changed": (
        another_ceiling,
        "the functions: the ceiling of on-finding is enforce, and Terraform says monitor",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "the archive says monitor": (
        a_low_ceiling_in_the_archive,
        "the functions: the ceiling is enforce, and firebreak.yaml in the archive says monitor, which counts",
        "raise `ceiling` in your firebreak.yaml, then make package and apply",
    ),
    "other policies decided": (
        recorded("monitored", "1" * 64),
        "was decided by other policies, 111111111111, and 000000000000 were packaged",
        "firebreak configure with the output of the last apply",
    ),
    "a question waits": (
        recorded("waiting", str(PACKAGE["policy_set"])),
        "the ledger: 1 wait for an answer: fb-",
        "firebreak incident list --phase waiting",
    ),
    "the database is gone": (
        dropped("firestore", "projects/acme-firebreak/databases/firebreak-ledger"),
        "the ledger's database: the ledger's database does not exist",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "an index is gone": (
        an_index_gone,
        "the ledger's database: the index of incident by subject is missing",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "a lifetime is gone": (
        a_lifetime_gone,
        "the ledger's database: records are never let go of, in event",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "evidence may be deleted": (
        changed("storage", "acme-firebreak-firebreak-evidence", retentionPolicy={}),
        "the evidence: evidence can be deleted after 0 days instead of 365",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "evidence may be made public": (
        changed(
            "storage", "acme-firebreak-firebreak-evidence", iamConfiguration={"publicAccessPrevention": "enforced"}
        ),
        "the evidence: single objects of the evidence may be made public",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "the ledger cannot be recovered": (
        changed("firestore", "projects/acme-firebreak/databases/firebreak-ledger", pointInTimeRecoveryEnablement=""),
        "the ledger's database: point-in-time recovery of the ledger's database is off",
        "terraform -chdir=../firebreak-deployment apply",
    ),
    "a record is of a later version": (
        set_aside,
        "the ledger: incident fb-0123456789abcdef",
        "docs/operations.md, under set-aside, says what to do",
    ),
    "a seal is broken": (
        forged,
        "the ledger: the seal of fb-",
        "firebreak incident show fb-",
    ),
    "a secret's version is disabled": (
        changed(
            "secretmanager", "projects/acme-firebreak/secrets/firebreak-seal-key/versions/latest", state="DISABLED"
        ),
        "the secrets: the version latest that FIREBREAK_SEAL_KEY is read from is DISABLED",
        "gcloud secrets versions add firebreak-seal-key --data-file=- --project=acme-firebreak",
    ),
    "a secret's numbered version is disabled": (
        a_disabled_number,
        "the secrets: the version 3 that VIRUSTOTAL_API_KEY is read from is DISABLED",
        "gcloud secrets versions enable 3 --secret=firebreak-virustotal-api-key --project=acme-firebreak",
    ),
    "the seal key is gone": (
        dropped("secretmanager", "projects/acme-firebreak/secrets/firebreak-seal-key/versions/latest"),
        "the secrets: FIREBREAK_SEAL_KEY has no version latest, and no function starts without it",
        "gcloud secrets versions add firebreak-seal-key --data-file=- --project=acme-firebreak",
    ),
    "VirusTotal's quota is used up": (
        figure("logging.googleapis.com/user/firebreak/virustotal-quota", **{"": 2}),
        "VirusTotal: VirusTotal's quota is used up until midnight UTC",
        "firebreak incident list --phase waiting",
    ),
    "everything is halted": (halted, "the ledger: nothing is written: halted by ada: a drill", "firebreak resume"),
    "no sweep ends": (
        figure("logging.googleapis.com/user/firebreak/sweeps"),
        "the sweep: no sweep has ended within the last 30 minutes",
        "firebreak sweep",
    ),
    "the scheduler is paused": (
        changed(
            "cloudscheduler", "projects/acme-firebreak/locations/europe-west1/jobs/firebreak-sweep", state="PAUSED"
        ),
        "the sweep: the scheduler does not call firebreak-sweep: it is PAUSED",
        "gcloud scheduler jobs resume firebreak-sweep --location=europe-west1 --project=acme-firebreak",
    ),
    "a detector is new": (
        a_new_detector,
        "no policy asks for 'Execution: Something New', of which global holds 1 of the last 30 days",
        "make package",
    ),
    "a role of whoever asks": (
        lambda at: at.world.denied.add("bigquery.jobs.create"),
        "yourself: you lack roles/bigquery.jobUser on the project, for the records",
        "name yourself in commanders, and apply",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_with_what_mends_it_and_no_other_is(
    firebreak: Told, healthy: Site, fault: str
) -> None:
    plant, says, mend = FAULTS[fault]
    (healthy.folder / "state" / "firebreak").mkdir(parents=True)
    plant(healthy)
    healthy.configure()
    told = firebreak("doctor", "--json")
    results = [(check["about"], one) for check in told.json["checks"] for one in check["results"]]
    found = [(f"{about}: {one['says']}", one["mend"]) for about, one in results if one["status"] == "fault"]

    assert told.code == 1
    assert found
    assert all(says in one for one, _ in found), found
    assert all(mend in one for _, one in found), found
    assert [one for _, one in results if one["status"] == "unchecked"] == []
