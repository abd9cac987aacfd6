from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from google.cloud.securitycenter_v2 import MitreAttack
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.findings import attack
from firebreak.core.findings.attack import (
    TACTICS,
    TECHNIQUES,
    VERSION,
    Tactic,
    Technique,
    by_detector,
    tactic_of,
    techniques_of,
)
from firebreak.core.findings.detectors import CATEGORIES

FACTS = json.loads(Path(attack.__file__).with_name("attack_techniques.json").read_text(encoding="utf-8"))
GUIDANCE = json.loads(Path(attack.__file__).with_name("attack_guidance.json").read_text(encoding="utf-8"))
BY_ID = {technique.id: technique for technique in TECHNIQUES.values()}
OF_THE_DETECTORS = sorted({technique for detector in CATEGORIES.values() for technique in detector.techniques})
EVERY_TECHNIQUE = pytest.mark.parametrize("technique", TECHNIQUES.values(), ids=TECHNIQUES.keys())
SAFE = re.compile(r"[A-Za-z0-9_.?-]{1,64}")

names = st.one_of(st.text(), st.sampled_from([*TECHNIQUES, *TACTICS, "TECHNIQUE_UNSPECIFIED", "TACTIC_UNSPECIFIED"]))


def test_firebreak_knows_the_techniques_that_scc_can_name_and_no_others() -> None:
    assert set(MitreAttack.Technique.__members__) - {"TECHNIQUE_UNSPECIFIED"} == TECHNIQUES.keys()


def test_firebreak_knows_the_tactics_that_scc_can_name_and_no_others() -> None:
    assert set(MitreAttack.Tactic.__members__) - {"TACTIC_UNSPECIFIED"} == TACTICS.keys()


def test_no_two_names_stand_for_the_same_technique() -> None:
    assert len(BY_ID) == len(TECHNIQUES)


@EVERY_TECHNIQUE
def test_an_id_is_well_formed_and_its_address_ends_with_it(technique: Technique) -> None:
    assert re.fullmatch(r"T\d{4}(\.\d{3})?", technique.id or "")
    assert technique.url == f"https://attack.mitre.org/techniques/{technique.id.replace('.', '/')}"  # type: ignore[union-attr]


@EVERY_TECHNIQUE
def test_a_technique_has_tactics_a_meaning_and_advice(technique: Technique) -> None:
    assert technique.tactics
    assert set(technique.tactics) <= set(TACTICS.values())
    assert technique.on_cloud_run.endswith(".")
    assert technique.countered_by


@EVERY_TECHNIQUE
def test_a_sub_technique_and_no_other_names_its_parent(technique: Technique) -> None:
    assert ("." in str(technique.id)) == (technique.parent is not None)


@EVERY_TECHNIQUE
def test_a_mitigation_is_one_that_attack_lists_for_the_technique(technique: Technique) -> None:
    listed = set(FACTS["techniques"][technique.enum]["mitigations"])
    used = {measure.id for measure in technique.countered_by} - {None}

    assert used <= listed


@EVERY_TECHNIQUE
def test_the_facts_give_each_tactic_its_own_name(technique: Technique) -> None:
    stated = FACTS["techniques"][technique.enum]["tactics"]

    assert [(tactic.id, tactic.name) for tactic in technique.tactics] == [(one["id"], one["name"]) for one in stated]


@pytest.mark.parametrize("tactic", TACTICS.values(), ids=TACTICS.keys())
def test_a_tactic_is_addressed_by_its_id(tactic: Tactic) -> None:
    assert re.fullmatch(r"TA\d{4}", tactic.id or "")
    assert tactic.url == f"https://attack.mitre.org/tactics/{tactic.id}"


@pytest.mark.parametrize("mitigation", FACTS["mitigations"])
def test_a_mitigation_has_an_id_and_a_name(mitigation: str) -> None:
    assert re.fullmatch(r"M\d{4}", mitigation)
    assert FACTS["mitigations"][mitigation].strip()


def test_every_mitigation_named_anywhere_has_its_name_in_the_facts() -> None:
    named = {mitigation for fact in FACTS["techniques"].values() for mitigation in fact["mitigations"]}

    assert named == FACTS["mitigations"].keys()


def test_the_facts_say_which_release_of_attack_they_are_from() -> None:
    assert VERSION == "18.1"
    assert "DEFENSE_EVASION" in FACTS["note"]
    assert "The MITRE Corporation" in FACTS["attribution"]


@pytest.mark.parametrize("technique", OF_THE_DETECTORS)
def test_what_a_detector_reports_is_known_and_has_advice_of_its_own(technique: str) -> None:
    assert technique in BY_ID
    assert technique in GUIDANCE["techniques"]


def test_advice_is_given_for_known_techniques_and_for_every_tactic() -> None:
    assert GUIDANCE["techniques"].keys() <= BY_ID.keys()
    assert GUIDANCE["tactics"].keys() == {tactic.id for tactic in TACTICS.values()}


@pytest.mark.parametrize("advice", [*GUIDANCE["techniques"].values(), *GUIDANCE["tactics"].values()])
def test_advice_is_at_most_three_short_sentences_of_plain_text(advice: dict[str, object]) -> None:
    sentences = re.findall(r"[.?!](?= |$)", str(advice["meaning"]))

    assert len(sentences) <= 3
    assert len(str(advice["meaning"])) <= 300
    assert str(advice["meaning"]).isascii()


def test_a_technique_without_advice_of_its_own_takes_that_of_its_first_tactic() -> None:
    (brute_force,) = techniques_of(["BRUTE_FORCE"], [])

    assert brute_force.on_cloud_run == GUIDANCE["tactics"]["TA0006"]["meaning"]


def test_an_added_malicious_binary_is_ingress_tool_transfer_and_native_api() -> None:
    transfer, native = techniques_of(by_detector("Execution: Added Malicious Binary Executed"), [])

    assert [(one.id, one.name) for one in (transfer, native)] == [
        ("T1105", "Ingress Tool Transfer"),
        ("T1106", "Native API"),
    ]
    assert {measure.id for measure in transfer.countered_by} >= {"M1031", "M1037"}
    assert {measure.id for measure in native.countered_by} >= {"M1038", "M1040"}


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_detector_leads_to_the_techniques_listed_for_it(category: str) -> None:
    found = techniques_of(by_detector(category), [])

    assert tuple(technique.id for technique in found) == CATEGORIES[category].techniques


@given(st.text())
def test_an_unknown_detector_reports_nothing_that_we_know_of(category: str) -> None:
    assert by_detector(f"Custom: {category}") == ()


def test_a_title_tells_apart_sub_techniques_of_one_name() -> None:
    titles = [one.title for one in techniques_of(["DEVELOP_CAPABILITIES_MALWARE"], ["OBTAIN_CAPABILITIES_MALWARE"])]

    assert titles == ["T1587.001 Develop Capabilities: Malware", "T1588.001 Obtain Capabilities: Malware"]


def test_primary_techniques_come_first_and_each_comes_once() -> None:
    found = techniques_of(["NATIVE_API", "UNIX_SHELL"], ["INGRESS_TOOL_TRANSFER", "NATIVE_API"])

    assert [technique.id for technique in found] == ["T1106", "T1059.004", "T1105"]


def test_a_name_newer_than_our_data_is_kept_without_an_id() -> None:
    (technique,) = techniques_of([], ["POISON_THE_WELL"])

    assert (technique.enum, technique.id, technique.url, technique.tactics) == ("POISON_THE_WELL", None, None, ())
    assert technique.title == "POISON_THE_WELL"


def test_a_hostile_name_is_cut_and_made_harmless() -> None:
    (technique,) = techniques_of(["<!channel> [x](javascript:1)\u202e\n`" + "A" * 10_000], [])

    assert technique.enum == "??channel???x??javascript?1????" + "A" * 33


def test_the_way_scc_says_none_is_no_technique_and_no_tactic() -> None:
    assert techniques_of(["TECHNIQUE_UNSPECIFIED", ""], ["TECHNIQUE_UNSPECIFIED"]) == ()
    assert tactic_of("TACTIC_UNSPECIFIED") is None
    assert tactic_of("") is None


def test_defense_evasion_keeps_the_id_it_has_in_the_release_we_hold() -> None:
    assert tactic_of("DEFENSE_EVASION") == Tactic(
        "DEFENSE_EVASION", "TA0005", "Defense Evasion", "https://attack.mitre.org/tactics/TA0005"
    )


@given(st.lists(names), st.lists(names))
def test_no_name_is_dropped_and_every_text_shown_is_safe(primary: list[str], additional: list[str]) -> None:
    named = {*primary, *additional} - {"", "TECHNIQUE_UNSPECIFIED", "TACTIC_UNSPECIFIED"}
    found = techniques_of(primary, additional)

    assert len(found) == len(named)
    assert all(SAFE.fullmatch(technique.enum) for technique in found)


@given(names)
def test_a_tactic_of_any_name_is_safe_to_show(name: str) -> None:
    tactic = tactic_of(name)

    assert tactic is None or SAFE.fullmatch(tactic.enum)
