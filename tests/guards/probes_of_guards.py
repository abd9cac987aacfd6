"""Probes of the bars and cautions, one by one. Over the wire, on a service that could be contained."""

from __future__ import annotations

from typing import Any

from tests.guards.probing import Probe, line
from tests.guards.scenes import (
    asked_then,
    changed_by_somebody,
    comes,
    contained_and_made_anew,
    contained_and_released,
    contained_earlier,
    damaged_in_the_ledger,
    declaring,
    everywhere,
    failing,
    looked_at_by_the_sweep,
    of_a_newer_version,
    opened_again,
    related_away_for_ten_minutes,
    released_in,
    runs_in,
    suspected_elsewhere,
    tagged_again,
    with_broken_seal,
    with_unreadable_halt,
    without,
    without_related_findings,
    without_the_region,
)
from tests.response.harness import ALWAYS, GOOD, ON_LATEST, PIN_ONLY, REVISIONS

SELF = "//run.googleapis.com/projects/{}/locations/europe-west1/services/firebreak"
NUMBER = "424242424242"
_ACTS = "acts"
_TIER: dict[str, Any] = {"service": {"labels": {"tier": "critical"}}}
_BY_NUMBER = f"//run.googleapis.com/projects/{NUMBER}/locations/europe-west1/services/checkout"


def _protected(entry: str) -> dict[str, Any]:
    return {"config": f"ceiling: enforce\nprotected: [{entry}]"}


def _when(clause: str) -> dict[str, Any]:
    return {"policy": ALWAYS.replace("when: {", f"when: {{{clause}, ")}


BARS: tuple[Probe, ...] = (
    line(
        "halted",
        _ACTS,
        "waits: halt: halted by ada: game day",
        prepare=lambda on: on.app.ledger.halt("game day", "ada"),
    ),
    line(
        "the halt cannot be read",
        "takes no answer for no halt",
        "waits: halt: the halt cannot be read, which counts as set",
        prepare=with_unreadable_halt,
    ),
    line(
        "halted between question and answer",
        "carries out what was approved",
        "waits: deferred: halted by ada: stop; the approval is spent, and is asked for anew",
        asked_then(lambda on: on.app.ledger.halt("stop", "ada")),
        config="ceiling: approve",
    ),
    line(
        "`FIREBREAK_CEILING=monitor`",
        _ACTS,
        "records the plan: ceiling: FIREBREAK_CEILING is monitor",
        FIREBREAK_CEILING="monitor",
    ),
    line(
        "`FIREBREAK_CEILING=`, empty",
        "takes it for no ceiling",
        "records the plan: ceiling: FIREBREAK_CEILING is not set",
        FIREBREAK_CEILING="",
    ),
    line(
        "no `ceiling` in firebreak.yaml",
        "takes it for no ceiling",
        "records the plan: ceiling: the ceiling in firebreak.yaml is monitor",
        config="",
    ),
    line(
        "deployed with an emulator, a local ledger and no seal key",
        "contains in production what a test server says",
        "records the plan: ceiling: deployed, and CLOUD_RUN_EMULATOR_HOST is set; ceiling: deployed, and SECURITY_CENTER_EMULATOR_HOST is set; ceiling: deployed, and LOGGING_EMULATOR_HOST is set; ceiling: deployed, and IAM_EMULATOR_HOST is set; ceiling: deployed, and PUBSUB_EMULATOR_HOST is set; ceiling: deployed, and VIRUSTOTAL_HOST is set; ceiling: deployed, and the ledger is a local file; ceiling: deployed, and the vault is a local folder; ceiling: deployed, and FIREBREAK_SELF is not set; ceiling: deployed, and FIREBREAK_SEAL_KEY is not set",
        K_SERVICE="firebreak",
    ),
    line(
        "the service is in Firebreak's own project",
        "contains what it runs on",
        "records the plan: self: shop-prod is the project that Firebreak itself runs in",
        FIREBREAK_SELF=SELF.format("shop-prod"),
    ),
    line(
        "its own project by number, the finding's by id",
        "compares texts, and contains what it runs on",
        "records the plan: self: shop-prod is the project that Firebreak itself runs in",
        FIREBREAK_SELF=SELF.format(NUMBER),
    ),
    line(
        "its own project by number, and the finding's number is not known",
        "compares texts, and contains what it runs on",
        "records the plan: self: it is not known whether this is the project that Firebreak itself runs in",
        everywhere(without("resource", "gcpMetadata", "project")),
        FIREBREAK_SELF=SELF.format(NUMBER),
    ),
)

CAUTIONS: tuple[Probe, ...] = (
    line(
        "what stands was changed by somebody without the seal key",
        "restores, or overwrites, what it is told",
        "asks a person: unplaced: no reachable revision carries the image digest of the finding; seal: the seal of the containment of shop-prod/europe-west1/service/checkout is broken: it is not overwritten. Restore by hand with the lines that `firebreak incident show` ends with; docs/operations.md says how to clear it",
        prepare=with_broken_seal,
    ),
    line(
        "what stands is damaged",
        "takes it for nothing, and overwrites it",
        "asks a person: unplaced: no reachable revision carries the image digest of the finding; seal: the containment of shop-prod/europe-west1/service/checkout cannot be read (it is damaged): it is not overwritten. Restore by hand with the lines that `firebreak incident show` ends with; docs/operations.md says how to clear it",
        prepare=damaged_in_the_ledger,
    ),
    line(
        "what stands was saved by a newer version, and we were rolled back",
        "overwrites what it does not understand",
        "asks a person: unplaced: no reachable revision carries the image digest of the finding; seal: the containment of shop-prod/europe-west1/service/checkout was saved in format 99, on which only versions that know format 99 may act; this one knows format 3: nothing was done, and it is not overwritten. Deploy the version that saved it again, or undo by hand, by the lines that `firebreak incident show` ends with",
        prepare=of_a_newer_version,
    ),
    line(
        "`ceiling: approve`",
        _ACTS,
        "asks a person: ceiling: the ceiling in firebreak.yaml is approve",
        config="ceiling: approve",
    ),
    line(
        "a ceiling of `monitor` for a project by number, the finding names its id",
        "compares texts, and acts",
        "records the plan: ceiling: the ceiling of project 424242424242 in firebreak.yaml is monitor",
        config=f'ceiling: enforce\nceilings: [{{project: "{NUMBER}", ceiling: monitor}}]',
    ),
    line(
        "a ceiling of `monitor` for a folder, and the finding does not say where its project lies",
        "finds no folder, and acts",
        "records the plan: ceiling: the ceiling of folder 456 in firebreak.yaml is monitor, and it is not known whether this workload lies there",
        everywhere(
            lambda pair: [pair["resource"]["gcpMetadata"].pop(key) for key in ("folders", "organization", "parent")]
        ),
        config='ceiling: enforce\nceilings: [{folder: "456", ceiling: monitor}]',
    ),
    line(
        "a protected project",
        _ACTS,
        "asks a person: protected: firebreak.yaml protects this workload",
        **_protected("{project: shop-prod}"),
    ),
    line(
        "a project protected by glob",
        _ACTS,
        "asks a person: protected: firebreak.yaml protects this workload",
        **_protected('{project: {glob: "shop-*"}}'),
    ),
    line(
        "a project protected by number, the finding names its id",
        "compares texts, and acts",
        "asks a person: protected: firebreak.yaml protects this workload",
        **_protected(f'{{project: "{NUMBER}"}}'),
    ),
    line(
        "a project protected by id, the finding names its number",
        "compares texts, and acts",
        "asks a person: protected: firebreak.yaml protects this workload",
        comes(resource_name=_BY_NUMBER),
        **_protected("{project: shop-prod}"),
    ),
    line(
        "a project protected by id, and the finding's id is not known",
        "finds no such project protected, and acts",
        "asks a person: protected: it is not known whether firebreak.yaml protects this workload",
        everywhere(lambda pair: pair["resource"]["gcpMetadata"].pop("projectDisplayName"), resource_name=_BY_NUMBER),
        **_protected("{project: payments-prod}"),
    ),
    line(
        "a protected service",
        _ACTS,
        "asks a person: protected: firebreak.yaml protects this workload",
        **_protected("{service: checkout}"),
    ),
    line(
        "a protected folder, `456`; the finding lists `folders/456`",
        "compares texts, and acts",
        "asks a person: protected: firebreak.yaml protects this workload",
        comes(folders=("456",)),
        **_protected('{folder: "456"}'),
    ),
    line(
        "a protected folder above the project's own",
        "looks at the nearest folder alone, and acts",
        "asks a person: protected: firebreak.yaml protects this workload",
        comes(folders=("4567", "456")),
        **_protected('{folder: "456"}'),
    ),
    line(
        "a protected folder, and the finding does not say where its project lies",
        "finds no folder, and acts",
        "asks a person: protected: it is not known whether firebreak.yaml protects this workload",
        everywhere(
            lambda pair: [pair["resource"]["gcpMetadata"].pop(key) for key in ("folders", "organization", "parent")]
        ),
        **_protected('{folder: "456"}'),
    ),
    line(
        "a protected label",
        _ACTS,
        "asks a person: protected: firebreak.yaml protects this workload",
        world=_TIER,
        **_protected("{label: {tier: critical}}"),
    ),
    line(
        "a protected label, and the labels cannot be read",
        "finds no label, and acts",
        "asks for help: nothing can be done: pin_previous_revision: the settings of this service could not be read: PERMISSION_DENIED: Permission denied on google.cloud.run.v2.Services/GetService",
        world={**_TIER, "denied": ["*/GetService"]},
        **_protected("{label: {tier: critical}}"),
    ),
    line(
        "the service runs in two regions, and the other one bears a protected label",
        "looks at the region of the finding, and acts in both",
        "asks a person: protected: firebreak.yaml protects europe-west4",
        world={"service": {"regions": ["europe-west1", "europe-west4"]}},
        prepare=runs_in("europe-west4", labels={"tier": "critical"}),
        **_protected("{label: {tier: critical}}"),
    ),
    line(
        "61 minutes old when it came",
        "contains a service that has long been mended",
        "asks a person: stale: the event was 61 minutes old when it was taken up",
        comes(minutes_ago=61.5),
    ),
    line(
        "61 minutes old, and delivered as if new",
        "counts from the message's own time",
        "asks a person: stale: the event was 61 minutes old when it was taken up",
        comes(minutes_ago=61.5, create_time="2099-01-01T00:00:00Z"),
    ),
    line(
        "the limit of containments is used up",
        "contains everything that a wrong rule hits",
        "asks a person: blast_radius: the limit of 0 containments in all per hour is used up",
        config="ceiling: enforce\nlimits: {per_hour: 0}",
    ),
    line(
        "an action that cannot be undone",
        _ACTS,
        "asks a person: irreversible: pin_previous_revision cannot be undone",
        prepare=declaring(reversible=False),
    ),
    line(
        "an action that affects other workloads too",
        _ACTS,
        "asks a person: shared: pin_previous_revision affects other workloads too",
        prepare=declaring(reach="shared"),
    ),
    line(
        "an action whose own code fails, beside one that works",
        "takes it for a refusal, or fails with it; does what is left, and says that it contained",
        "asks a person: action: a fault in Firebreak itself: pin_previous_revision: its own code returned NoneType instead "
        "of settings",
        policy=PIN_ONLY.replace("}]\nexamples", "}, {action: cut_traffic}]\nexamples"),
        prepare=failing,
    ),
    line(
        "the service runs in two regions, and one of them cannot be read",
        "closes one door, and reports success",
        "asks a person: regions: the service also runs elsewhere: europe-west4 could not be read: PERMISSION_DENIED: "
        "planted by the sandbox",
        world={"service": {"regions": ["europe-west1", "europe-west4"]}},
        prepare=without_the_region("europe-west4"),
    ),
    line(
        "the service runs in two regions, and a person released the other one an hour ago",
        "contains it again, against a person",
        "asks a person: released: a person released this target within the last 24 hours",
        comes(finding_id="later", minutes_ago=0),
        world={"service": {"regions": ["europe-west1", "europe-west4"]}},
        prepare=released_in("europe-west4"),
    ),
    line(
        "a person released the service half an hour ago",
        "contains it again, against a person",
        "asks a person: released: a person released this target within the last 24 hours",
        comes(finding_id="later", minutes_ago=0),
        prepare=contained_and_released,
    ),
    line(
        "contained already; a later finding is about the revision that took over",
        "walks the service back, revision by revision",
        "asks a person: contained: the target is contained already, and the plan would close more",
        comes(finding_id="later", image=7, minutes_ago=-0.1),
        prepare=contained_earlier,
    ),
    line(
        "contained already; somebody leads traffic back to what is suspect",
        "closes it again and again, against whoever opens it",
        "asks a person: contained: the target is contained already, and the plan would close more; drift: changed by dev@shop.example: suspect checkout-00008-bad can be reached again; service.traffic.split was checkout-00007-good=100 and is LATEST=100",
        looked_at_by_the_sweep,
        prepare=opened_again,
    ),
    line(
        "contained already; somebody gives what is suspect an address of its own",
        "closes it after a yes, and gives it that address back when it is released",
        "asks a person: contained: the target is contained already, and the plan would close more; origin: a release would restore what others set: service.traffic.tag.debug checkout-00008-bad, which was unset before Firebreak; drift: changed by dev@shop.example: suspect checkout-00008-bad can be reached again; service.traffic.tag.debug was unset and is checkout-00008-bad",
        looked_at_by_the_sweep,
        prepare=tagged_again,
    ),
    line(
        "what was contained is deleted, and another service made under its name",
        "takes the namesake for what it contained",
        "asks a person: contained: the target is contained already, and the plan would close more; made_anew: this workload was deleted, and another one made in its place",
        comes(finding_id="later", minutes_ago=0),
        prepare=contained_and_made_anew,
    ),
    line(
        "suspects are inferred, and somebody has changed the service since",
        "convicts a revision that mended it",
        "asks a person: changed: suspects are inferred, and the service has changed since the event",
        comes(image=None),
        prepare=changed_by_somebody,
        policy=PIN_ONLY,
    ),
    line(
        "suspects are inferred, and somebody has changed the service in its other region since",
        "convicts there by age what may have mended it",
        "asks a person: regions: the service also runs elsewhere: europe-west4, where it cannot be told what is suspect: "
        "the suspects are inferred by age, which says nothing about other regions",
        comes(image=None),
        world={"service": {"regions": ["europe-west1", "europe-west4"]}},
        prepare=runs_in("europe-west4", updated="-10s"),
        policy=PIN_ONLY,
    ),
    line(
        "suspects are inferred, and related findings cannot be read",
        "takes no answer for no other foothold",
        "asks a person: away: related findings in SCC cannot be reached",
        related_away_for_ten_minutes(image=None),
        prepare=without_related_findings,
        policy=PIN_ONLY,
    ),
    line(
        "the only revision to turn to is suspect in another incident",
        "turns to a second foothold",
        "asks a person: ceiling: the ceiling in firebreak.yaml is approve; disputed: no revision can take over: checkout-00007-good is suspect in fb-…; checkout-00008-bad is suspect",
        prepare=suspected_elsewhere,
        world={"revisions": REVISIONS[1:], "traffic": (*ON_LATEST, {"revision": GOOD, "tag": "stable"})},
        config="ceiling: approve",
    ),
    line(
        "no reachable revision carries the finding's image",
        "convicts the one that serves",
        "asks a person: unplaced: no reachable revision carries the image digest of the finding",
        comes(image=99),
    ),
    line(
        "no older revision is fit to take over",
        "pins to what is left",
        "asks for help: nothing can be done: pin_previous_revision: no revision can take over: checkout-00008-bad is suspect",
        world={"revisions": (REVISIONS[2],)},
        policy=PIN_ONLY,
    ),
    line(
        "the service cannot be read",
        "writes what it thinks is right",
        "asks for help: nothing can be done: pin_previous_revision: the settings of this service could not be read: PERMISSION_DENIED: Permission denied on google.cloud.run.v2.Services/GetService",
        world={"denied": ["*/GetService"]},
    ),
    line(
        "its revisions cannot be read",
        "takes the newest it knows",
        "asks for help: nothing can be done: pin_previous_revision: the settings of this service could not be read: PERMISSION_DENIED: Permission denied on google.cloud.run.v2.Revisions/ListRevisions",
        world={"denied": ["*/ListRevisions"]},
    ),
    line(
        "its IAM policy cannot be read, and the policy asks whether it is public",
        "takes no answer for public",
        "asks a person: policy always (enforce) may match: workload is unknown; so the mode is approve, with the plan of always",
        world={"denied": ["*/GetIamPolicy"]},
        **_when("workload.public: true"),
    ),
    line(
        "VirusTotal does not know the file, and the policy asks how many engines do",
        "takes not found for zero, or for clean",
        "asks a person: policy always (enforce) may match: virustotal is unknown; so the mode is approve, with the plan of always",
        world={"hashes": {}},
        **_when("virustotal.malicious: {at_least: 10}"),
    ),
    line(
        "the finding has no severity, and the policy asks for one",
        "takes none for the highest, or the lowest",
        "asks a person: policy always (enforce) may match: finding is unknown; so the mode is approve, with the plan of always",
        everywhere(without("finding", "severity")),
        **_when("finding.severity: {at_least: HIGH}"),
    ),
    line(
        "the finding has no hash, and the policy asks VirusTotal",
        "finds nothing bad, or skips the clause",
        "asks a person: policy always (enforce) may match: virustotal is unknown; so the mode is approve, with the plan of always",
        everywhere(
            lambda pair: (
                [one["binary"].pop("sha256") for one in pair["finding"]["processes"]]
                + [pair["finding"].pop("files", None)]
            )
        ),
        **_when("virustotal.malicious: {at_least: 10}"),
    ),
    line(
        "log lines cannot be read, and the policy asks for errors",
        "counts none",
        "asks a person: policy always (enforce) may match: logs is unknown; so the mode is approve, with the plan of always",
        world={"denied": ["*/ListLogEntries"]},
        **_when("logs.errors: {at_most: 0}"),
    ),
    line(
        "no log line at all, and the policy asks that there be no errors",
        "counts none",
        "asks a person: policy always (enforce) may match: logs is unknown; so the mode is approve, with the plan of always",
        **_when("logs.errors: {at_most: 0}"),
    ),
)

NEAR_NAMES: tuple[Probe, ...] = (
    line(
        "a policy for label `tier=critical`; the service has no such label",
        "takes what is missing for a match, or for the empty text",
        "declines: no policy matches",
        **_when('workload.labels: {contains: "tier=critical"}'),
    ),
    line(
        "a policy for service `check`",
        "compares beginnings, and acts on `checkout`",
        "declines: no policy matches",
        **_when("workload.name: check"),
    ),
    line(
        "a policy for services in `[check, out]`",
        "searches the name in the text, and acts",
        "declines: no policy matches",
        **_when("workload.name: {in: [check, out]}"),
    ),
    line(
        "a policy for project `shop`",
        "compares beginnings, and acts in `shop-prod`",
        "declines: no policy matches",
        **_when("workload.project: shop"),
    ),
    line(
        "a policy for projects that fit `shop-pro`",
        "matches the beginning, and acts",
        "declines: no policy matches",
        **_when('workload.project: {glob: "shop-pro"}'),
    ),
    line(
        "a policy that leaves out `checkout`",
        "acts",
        "declines: no policy matches",
        **_when("workload.name: {not_in: [checkout]}"),
    ),
    line(
        "a policy for accounts `*@foo.com`; the account is `x@foo.com.attacker.net`",
        "matches within the text, and acts",
        "declines: no policy matches",
        world={"service": {"service_account": "x@foo.com.attacker.net"}},
        **_when('workload.service_account: {glob: "*@foo.com"}'),
    ),
    line(
        "a policy for accounts `*@foo.com`; the account is `x@evilfoo.com`",
        "forgets the `@` when it builds its pattern, and acts",
        "declines: no policy matches",
        world={"service": {"service_account": "x@evilfoo.com"}},
        **_when('workload.service_account: {glob: "*@foo.com"}'),
    ),
    line(
        "a policy for accounts `a.c@foo.com`; the account is `abc@foo.com`",
        "reads the dot as any letter, and acts",
        "declines: no policy matches",
        world={"service": {"service_account": "abc@foo.com"}},
        **_when('workload.service_account: {glob: "a.c@foo.com"}'),
    ),
    line(
        "a policy for label `tier=crit`",
        "compares beginnings, and acts",
        "declines: no policy matches",
        world=_TIER,
        **_when('workload.labels: {contains: "tier=crit"}'),
    ),
    line(
        "a policy for label `er=critical`",
        "searches it in the text of all labels, and acts",
        "declines: no policy matches",
        world=_TIER,
        **_when('workload.labels: {contains: "er=critical"}'),
    ),
    line(
        "a policy for category `Added Malicious Binary`",
        "searches it in the category, and acts",
        "declines: no policy names a finding like this one (Execution: Added Malicious Binary Executed)",
        policy=ALWAYS.replace('"Execution: Added Malicious Binary Executed"', '"Added Malicious Binary"').replace(
            '"Reverse Shell"', '"Other"'
        ),
    ),
)

CONTROLS: tuple[Probe, ...] = (
    line("the usual finding", "", "wrote: contains: policy always (enforce) matches"),
    line(
        "service `check` is protected",
        "",
        "wrote: contains: policy always (enforce) matches",
        **_protected("{service: check}"),
    ),
    line(
        "project `shop` is protected",
        "",
        "wrote: contains: policy always (enforce) matches",
        **_protected("{project: shop}"),
    ),
    line(
        "folder `700` is protected; it lies in `7001`",
        "",
        "wrote: contains: policy always (enforce) matches",
        **_protected('{folder: "700"}'),
    ),
    line(
        "folder `70011` is protected",
        "",
        "wrote: contains: policy always (enforce) matches",
        **_protected('{folder: "70011"}'),
    ),
    line(
        "label `tier=crit` is protected; it has `tier=critical`",
        "",
        "wrote: contains: policy always (enforce) matches",
        world=_TIER,
        **_protected("{label: {tier: crit}}"),
    ),
    line(
        "Firebreak's own project is `shop`",
        "",
        "wrote: contains: policy always (enforce) matches",
        FIREBREAK_SELF=SELF.format("shop"),
    ),
    line("59 minutes old when it came", "", "wrote: contains: policy always (enforce) matches", comes(minutes_ago=59)),
    line(
        "accounts `*@foo.com`; the account is `x@foo.com`",
        "",
        "wrote: contains: policy always (enforce) matches",
        world={"service": {"service_account": "x@foo.com"}},
        **_when('workload.service_account: {glob: "*@foo.com"}'),
    ),
)
