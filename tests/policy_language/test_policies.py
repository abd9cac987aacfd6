from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import enrichment
import responders
from firebreak.core.actions.action import NoParams
from firebreak.core.channels import found
from firebreak.core.diagnostics import Faults
from firebreak.core.mode import Mode
from firebreak.core.policy.clause import NamedSet, Operator
from firebreak.core.policy.condition import AllOf, AnyOf, NoneOf, clauses, match
from firebreak.core.policy.policy import Config, Drill, Limits, PolicySet, Step
from firebreak.core.policy.protected import Pattern, PlacedCeiling, Protected
from firebreak.core.ternary import truth
from firebreak.policy_language.reading.policies import parse_policies
from tests.policy_language.vocabulary import ACTIONS, CATALOGUE, ROOT, PinParams, QuarantineParams, shipped_policies

BROKEN = sorted((ROOT / "tests" / "policy_language" / "broken_policies").glob("*.yaml"))
WHERE_A_SECRET_MAY_STAND = ("charter_notify_secret", "charter_notify_place")
SMALL = """\
id: small
mode: enforce
when:
  finding.category: "A"
then:
  - action: cut_traffic
examples:
  - expect: {mode: enforce}
"""
CONFIG_FILE = """\
organization: "123456789012"
sources: ["5678"]
ceiling: enforce
protected:
  - {project: payments-prod}
  - {project: {glob: "core-*"}, service: checkout}
  - {label: {tier: critical}}
  - {folder: "456"}
limits: {per_project_per_hour: 1}
stale_after: 90s
"""


def load(**files: str) -> PolicySet:
    return parse_policies({f"{name}.yaml": text for name, text in files.items()}, CATALOGUE, ACTIONS)


def faults_of(files: dict[str, str]) -> list[str]:
    with pytest.raises(Faults) as caught:
        parse_policies(files, CATALOGUE, ACTIONS)
    return [f"{fault.at}: {fault.message}" for fault in caught.value.faults]


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_file_is_refused_with_every_fault_at_its_place(path: Path) -> None:
    text = path.read_bytes().decode()
    wanted = re.findall(r"^# (\d+):(\d+) (.*?)(?: \| (.*))?$", text, re.MULTILINE)
    name = "firebreak.yaml" if path.stem.startswith("charter_") else path.name
    with pytest.raises(Faults) as caught:
        parse_policies({name: text}, CATALOGUE, ACTIONS)
    found = [(str(one.at.line), str(one.at.column), one.message, one.nearest or "") for one in caught.value.faults]

    assert found == wanted
    shown = [one for one in caught.value.faults if path.stem not in WHERE_A_SECRET_MAY_STAND]
    assert all(fault.line_text == text.split("\n")[fault.at.line - 1].rstrip("\r") for fault in shown)


NOTIFY = """\
organization: "123456789012"
notify:
  channels:
    soc: {kind: slack_bot, secret: FIREBREAK_NOTIFY_SOC, channel: C0123456789}
    oncall: {kind: pagerduty, secret: FIREBREAK_NOTIFY_ONCALL, url: "https://events.eu.pagerduty.com/v2/enqueue"}
    shop: {kind: google_chat, secret: FIREBREAK_NOTIFY_SHOP}
  routes: {security-oncall: [soc, oncall], default: [soc]}
  owners: {labels: [owner, team], channels: {shop: [shop]}}
  remind_after: 10m
  escalate: [{after: 40m, to: [shop]}, {after: 20m, to: [oncall]}]
  runbook: "https://wiki.acme.example/firebreak"
"""


def test_who_is_told_is_read_from_the_table_and_decides_nothing() -> None:
    told, untold = load(firebreak=NOTIFY, small=SMALL), load(firebreak='organization: "123456789012"', small=SMALL)
    routing = told.config.routing

    assert routing.told(["security-oncall"], {}) == ("soc", "oncall")
    assert routing.told(["others"], {"owner": "search", "team": "shop"}) == ("soc",), "the first label counts"
    assert routing.told([], {"team": "shop"}) == ("soc", "shop")
    assert [(one.after, one.to) for one in routing.escalate] == [(1200, ("oncall",)), (2400, ("shop",))]
    assert (routing.remind_after, routing.runbook) == (600, "https://wiki.acme.example/firebreak")
    assert routing.channels["soc"].channel == "C0123456789"
    assert told.digest == untold.digest


def test_a_kind_of_channel_that_does_not_load_is_named_and_costs_only_those_who_name_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    every = found()
    why = "firebreak/core/channels/pagerduty.py cannot be imported (SyntaxError)"
    working = {name: one for name, one in every.working.items() if name != "pagerduty"}
    broken = replace(every, working=working, broken={"pagerduty": why})
    monkeypatch.setattr("firebreak.policy_language.reading.routing.found", lambda: broken)
    without = (
        NOTIFY.replace("    oncall:", "    # oncall:").replace("soc, oncall", "soc").replace("oncall]}]", "soc]}]")
    )

    assert faults_of({"firebreak.yaml": NOTIFY, "small.yaml": SMALL})[0].endswith(
        f"no message can be sent to the channel `oncall`: {why}"
    )
    assert load(firebreak=without, small=SMALL).config.routing.channels.keys() == {"soc", "shop"}


def test_a_secret_that_stands_in_the_file_is_not_repeated() -> None:
    text = (BROKEN[0].parent / "charter_notify_secret.yaml").read_text()
    with pytest.raises(Faults) as caught:
        load(firebreak=text, small=SMALL)

    assert "hooks.slack.com" in text
    assert "hooks.slack.com" not in str(caught.value)


def test_there_are_enough_broken_files_to_mean_something() -> None:
    assert len(BROKEN) >= 150


def test_the_shipped_policies_load_and_only_monitor_until_the_configuration_says_more() -> None:
    loaded = parse_policies(shipped_policies(), enrichment.catalogue(), responders.discover())
    modes = [policy.mode for policy in loaded.policies]

    assert modes == [Mode.ENFORCE] * 3 + [Mode.APPROVE] * 4 + [Mode.MONITOR]
    assert loaded.config == Config(organization="123456789012")


def test_a_policy_is_read_whole() -> None:
    text = SMALL.replace(
        "then:\n  - action: cut_traffic\n",
        """\
then:
  - action: pin_previous_revision
    require_different_image: true
    accept_irreversible: true
    otherwise: [{action: cut_traffic}]
  - {action: quarantine, depth: 2, regions: [europe-west1], how: hard}
description: Why.
review_after: 2h
release_after: 7d
approve_within: 90s
on_expiry: contain
notify: [security-oncall]
""",
    )
    (policy,) = load(a=text).policies

    assert policy.then == (
        Step("pin_previous_revision", PinParams(True), (Step("cut_traffic", NoParams()),), True),  # noqa: FBT003
        Step("quarantine", QuarantineParams(2, regions=("europe-west1",), how="hard")),
    )
    assert (policy.review_after, policy.release_after, policy.approve_within) == (7_200, 604_800, 90)
    assert (policy.description, policy.on_expiry, policy.notify) == ("Why.", "contain", ("security-oncall",))


def test_what_a_policy_leaves_out_has_its_default() -> None:
    (policy,) = load(a=SMALL).policies

    assert (policy.review_after, policy.release_after, policy.approve_within) == (14_400, None, 1_800)
    assert (policy.on_expiry, policy.notify, policy.description) == ("escalate", (), "")


def test_groups_nest_and_several_operators_on_one_fact_must_all_hold() -> None:
    text = SMALL.replace(
        '  finding.category: "A"\n',
        """\
  virustotal.malicious: {at_least: 2, at_most: 9}
  any_of:
    - workload.public: true
    - none_of: [{workload.project: {glob: "core-*"}}]
      finding.severity: {at_least: HIGH}
""",
    )
    when = load(a=text).policies[0].when
    at_least, at_most, public, not_core, severe = clauses(when)
    assert isinstance(severe.ranks, tuple)

    assert (at_least.operator, at_most.operator) == (Operator.AT_LEAST, Operator.AT_MOST)
    assert severe.ranks == ("LOW", "MEDIUM", "HIGH", "CRITICAL")
    assert when == AllOf((at_least, at_most, AnyOf((AllOf((public,)), AllOf((NoneOf((AllOf((not_core,)),)), severe))))))


SETS = 'organization: "123456789012"\nsets: {payment_projects: [pay-a, pay-b], quiet: [Impact]}\n'


def test_a_set_stands_for_its_members() -> None:
    text = SMALL.replace('finding.category: "A"', "workload.project: {in_set: payment_projects}")
    (project,) = clauses(load(a=text, firebreak=SETS).policies[0].when)

    assert project.operand == NamedSet(frozenset({"pay-a", "pay-b"}), "")
    assert str(project.operand) == "payment_projects"


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        (
            "workload.project: {in_set: payment_project}",
            "there is no set `payment_project`: sets are listed under `sets` in firebreak.yaml",
        ),
        (
            "attack.tactics: {in_set: payment_projects}",
            "the set `payment_projects` holds `pay-a`, and `in_set` of `attack.tactics` is one of `Execution`",
        ),
    ],
)
def test_a_set_that_is_not_there_or_could_never_fit_does_not_load(fact: str, said: str) -> None:
    faults = faults_of({"a.yaml": SMALL.replace('finding.category: "A"', fact), "firebreak.yaml": SETS})

    assert said in faults[0]


def test_where_the_configuration_cannot_be_read_its_sets_are_not_missed_too() -> None:
    text = SMALL.replace('finding.category: "A"', "workload.project: {in_set: payment_projects}")

    assert faults_of({"a.yaml": text, "firebreak.yaml": "sets: ["})[0].startswith("firebreak.yaml:")


def test_labels_may_be_written_as_they_are() -> None:
    text = SMALL.replace(
        'finding.category: "A"', 'workload.labels: {contains: {tier: critical, team: {glob: "pay-*"}}}'
    )
    found = [(one.operator, one.operand) for one in clauses(load(a=text).policies[0].when)]

    assert found == [(Operator.CONTAINS, "tier=critical"), (Operator.GLOB, "team=pay-*")]


@pytest.mark.parametrize("outer", ["any_of", "none_of"])
@pytest.mark.parametrize("middle", ["any_of", "none_of"])
@pytest.mark.parametrize("inner", ["any_of", "none_of"])
@pytest.mark.parametrize("public", [None, False, True])
def test_every_nesting_of_groups_loads_and_is_kleene(outer: str, middle: str, inner: str, public: bool | None) -> None:  # noqa: FBT001 - the value of a fact
    nested = f"{outer}: [{{{middle}: [{{{inner}: [{{workload.public: true}}]}}]}}]"
    (policy,) = load(a=SMALL.replace('finding.category: "A"', nested)).policies
    turned = [outer, middle, inner].count("none_of") % 2 == 1
    facts = {} if public is None else {"workload.public": public}

    assert match(policy.when, facts).truth is truth(None if public is None else public is not turned)


def test_the_configuration_is_read_whole() -> None:
    config = load(firebreak=CONFIG_FILE).config

    assert config == Config(
        organization="123456789012",
        sources=frozenset({"5678"}),
        ceiling=Mode.ENFORCE,
        protected=(
            Protected(project=Pattern("payments-prod")),
            Protected(project=Pattern("core-*", glob=True), service=Pattern("checkout")),
            Protected(labels=(("tier", Pattern("critical")),)),
            Protected(folder="456"),
        ),
        limits=Limits(per_project_per_hour=1, per_hour=20),
        stale_after=90,
    )


def test_without_a_configuration_nothing_goes_above_monitoring() -> None:
    config = load(a=SMALL).config

    assert (config.organization, config.ceiling, config.sources) == (None, Mode.MONITOR, frozenset())


def test_a_configuration_without_ceiling_or_sources_only_monitors() -> None:
    config = load(firebreak='organization: "1"\n').config

    assert (config.ceiling, config.sources, config.stale_after) == (Mode.MONITOR, frozenset(), 3_600)


def test_ceilings_hold_at_projects_and_folders() -> None:
    entries = '[{project: shop-dev, ceiling: enforce}, {folder: "123", project: {glob: "a*"}, ceiling: monitor}]'
    config = load(firebreak=f"{CONFIG_FILE}ceilings: {entries}\n").config

    assert config.ceilings == (
        PlacedCeiling(Protected(project=Pattern("shop-dev")), Mode.ENFORCE),
        PlacedCeiling(Protected(project=Pattern("a*", glob=True), folder="123"), Mode.MONITOR),
    )
    assert config.ceiling is Mode.ENFORCE


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{projct: shop, ceiling: monitor}", "an entry of `ceilings` has no key `projct`; did you mean `project`?"),
        ("{project: shop, ceiling: moniter}", "not `moniter`; did you mean `monitor`?"),
        ("{project: shop}", "an entry of `ceilings` needs the key `ceiling`"),
        ("{ceiling: monitor}", "names a project or a folder; everywhere is what `ceiling` is for"),
        ("{project: Shop_Dev, ceiling: monitor}", "could never be `Shop_Dev`"),
        ("{folder: folders/1, ceiling: monitor}", "`folder` is the digits of its number in quotes"),
        ("shop", "an entry of `ceilings` is a mapping"),
    ],
)
def test_a_ceiling_that_is_misspelt_does_not_load(entry: str, said: str) -> None:
    with pytest.raises(Faults, match=re.escape(said)):
        load(firebreak=f"{CONFIG_FILE}ceilings: [{entry}]\n")


def test_without_ceilings_at_places_a_policy_set_keeps_its_digest() -> None:
    plain, placed = (
        load(a=SMALL, firebreak=CONFIG_FILE + more)
        for more in ("ceilings: []\n", "ceilings: [{project: a, ceiling: monitor}]\n")
    )

    assert plain.digest == load(a=SMALL, firebreak=CONFIG_FILE).digest
    assert placed.digest != plain.digest


def test_the_drill_is_a_source_of_its_own_and_projects_by_their_names() -> None:
    config = load(firebreak=f'{CONFIG_FILE}drill: {{source: "9999", projects: [shop-test, "1234"]}}\n').config

    assert config.drill == Drill("9999", frozenset({"shop-test", "1234"}))


@pytest.mark.parametrize(
    ("drill", "said"),
    [
        ('{source: "9999"}', "`drill` needs the key `projects`"),
        ('{source: "9999", projects: []}', "`projects` of the drill lists at least one project"),
        ('{source: "9999", projects: ["*"]}', "`*` is not one project: the drill's are named one by one"),
        ('{source: "9999", projects: [{glob: "shop-*"}]}', "is a text, not a mapping"),
        ("{source: 9999, projects: [shop-test]}", "`source` of the drill is the digits of its number in quotes"),
        (
            '{source: "5678", projects: [shop-test]}',
            'the drill\'s source "5678" is listed in `sources` too: it would lead to more than its canary',
        ),
    ],
)
def test_a_drill_that_could_reach_further_does_not_load(drill: str, said: str) -> None:
    faults = faults_of({"firebreak.yaml": f"{CONFIG_FILE}drill: {drill}\n"})

    assert any(said in one for one in faults)


def test_without_a_drill_a_policy_set_keeps_the_digest_that_it_had_before_there_were_drills() -> None:
    plain, with_drill = (
        load(firebreak=CONFIG_FILE),
        load(firebreak=f'{CONFIG_FILE}drill: {{source: "1", projects: [a]}}'),
    )

    assert plain.digest == "3724148418313e703b0209e6a934c7f573ed628c26ebb5c43ecbcac60251dfaf"
    assert with_drill.digest != plain.digest


def test_policies_come_in_order_of_file_name_and_place() -> None:
    several = "".join(f"- {SMALL.replace('small', name)}".replace("\n", "\n  ").rstrip(" ") for name in ("c", "b"))
    files = {"20-x.yml": SMALL.replace("small", "a"), "10-x.yaml": several, "README.md": "not: [yaml"}

    assert [policy.id for policy in parse_policies(files, CATALOGUE, ACTIONS).policies] == ["c", "b", "a"]


def test_an_id_is_taken_once_in_the_whole_folder() -> None:
    assert faults_of({"a.yaml": SMALL, "b.yaml": SMALL}) == [
        "b.yaml:1:5: the id `small` is taken by the policy at a.yaml:1:5"
    ]


def test_every_fault_of_every_file_is_reported_at_once() -> None:
    found = faults_of(
        {"a.yaml": SMALL.replace("A", "010"), "b.yaml": "a: [", "firebreak.yaml": "ceiling: enforc\n"}
        | {"c.yaml": SMALL.replace("cut", "cutt").replace("id:", "ID:")}
    )

    assert [fault.split(":")[0] for fault in found] == [
        "b.yaml",
        "c.yaml",
        "c.yaml",
        "c.yaml",
        "firebreak.yaml",
        "firebreak.yaml",
    ]


@pytest.mark.parametrize("name", ["firebreak.yml", "Firebreak.yaml", "FIREBREAK.YAML"])
def test_a_configuration_under_another_name_is_not_overlooked(name: str) -> None:
    assert faults_of({name: CONFIG_FILE}) == [f"{name}:1:1: the configuration is called firebreak.yaml"]


def test_there_is_one_configuration() -> None:
    assert faults_of({"a/firebreak.yaml": CONFIG_FILE, "firebreak.yaml": CONFIG_FILE}) == [
        "firebreak.yaml:1:1: there is another configuration, a/firebreak.yaml"
    ]


def test_the_digest_is_blind_to_layout_and_sees_every_decision() -> None:
    same = load(a=SMALL, firebreak=CONFIG_FILE).digest
    laid_out = "# comment\n" + SMALL.replace(
        "id: small\nmode: enforce\n", "mode:   enforce\nid: 'small'\nreview_after: 240m\n"
    )
    rearranged = "\n".join(
        sorted(CONFIG_FILE.replace("  - ", "    - ").split("\n"), key=lambda line: line.startswith("sources"))
    )

    assert load(b=laid_out, firebreak=rearranged).digest == same
    for old, new in (("enforce", "approve"), ('"A"', '"B"'), ("cut_traffic", "pin_previous_revision")):
        assert load(a=SMALL.replace(old, new), firebreak=CONFIG_FILE).digest != same
    for old, new in (("critical", "low"), ("90s", "91s"), ("enforce", "approve"), ("5678", "5679")):
        assert load(a=SMALL, firebreak=CONFIG_FILE.replace(old, new)).digest != same


def test_names_of_sets_and_the_spelling_of_a_length_of_time_decide_nothing() -> None:
    text = SMALL.replace(
        'finding.category: "A"', "workload.project: {in_set: some}\n  virustotal.first_seen: {newer_than: 1d}"
    )
    config = 'organization: "1"\nsets: {some: [a, b], unused: [c]}\n'
    renamed = config.replace("some", "other").replace("a, b", "b, a").replace(", unused: [c]", "")

    same = load(a=text, firebreak=config).digest
    assert load(a=text.replace("some", "other").replace("1d", "24h"), firebreak=renamed).digest == same
    assert load(a=text, firebreak=config.replace("a, b", "a")).digest != same


def test_a_policy_in_shadow_is_another_one_for_the_digest_and_no_shadow_is_as_none_said() -> None:
    said = {word: load(a=SMALL.replace("mode:", f"shadow: {word}\nmode:", 1)) for word in ("true", "false")}

    assert [[one.shadow for one in said[word].policies] for word in said] == [[True], [False]]
    assert said["false"].digest == load(a=SMALL).digest
    assert load(a=SMALL, firebreak=CONFIG_FILE).digest == (
        "1c3b1504f4e427d786f35666f62e130adff846a3d4e762294b46cc7ca5980f0b"  # as before there was such a key
    )
    assert said["true"].digest != load(a=SMALL).digest


@pytest.mark.parametrize(
    ("line", "told"),
    [("shadow: yes", "`yes`"), ('shadow: "true"', "`shadow` is true or false"), ("shadoww: true", "`shadow`")],
)
def test_a_shadow_that_is_misspelt_does_not_load(line: str, told: str) -> None:
    with pytest.raises(Faults, match=re.escape(told)):
        load(a=SMALL.replace("mode:", f"{line}\nmode:", 1))


def test_the_order_of_clauses_does_not_change_the_digest_and_that_of_policies_does() -> None:
    one = SMALL.replace('  finding.category: "A"\n', "  workload.public: true\n  finding.category: A\n")
    two = SMALL.replace('  finding.category: "A"\n', "  finding.category: A\n  workload.public: true\n")

    assert load(a=one).digest == load(a=two).digest
    other = SMALL.replace("small", "other")
    assert load(a=SMALL, b=other).digest != load(b=SMALL, a=other).digest


@given(st.data())
def test_a_file_with_anything_done_to_it_loads_or_is_refused_with_a_place(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([SMALL, CONFIG_FILE, *shipped_policies().values()]))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    changed = text[:start] + data.draw(st.text("abn010:[]{}-&*!'\"# \n", max_size=10)) + text[end:]
    try:
        load(firebreak=changed) if "organization" in text else load(a=changed)
        faults = Faults(())
    except Faults as refused:
        faults = refused

    assert all(fault.at.line >= 1 and fault.at.column >= 1 for fault in faults.faults)
    assert len(str(faults)) >= len(faults.faults)
