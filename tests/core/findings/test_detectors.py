from __future__ import annotations

import re

import pytest

from firebreak.core.findings.detectors import CATEGORIES, CONTROL_PLANE, RUNTIME, Detector, is_listed, listed_name

EVERY = pytest.mark.parametrize("detector", CATEGORIES.values(), ids=CATEGORIES.keys())


def test_thirty_five_detectors_watch_instances_and_three_read_audit_logs() -> None:
    sources = [detector.source for detector in CATEGORIES.values()]

    assert (sources.count(RUNTIME), sources.count(CONTROL_PLANE), len(sources)) == (35, 3, 38)


@EVERY
def test_an_api_name_is_one_of_cloud_run(detector: Detector) -> None:
    assert re.fullmatch(r"CLOUD_RUN(_[A-Z0-9]+)+", detector.api_name)


def test_no_two_detectors_share_an_api_name() -> None:
    names = [detector.api_name for detector in CATEGORIES.values()]

    assert len(set(names)) == len(names)


@EVERY
def test_what_google_documents_is_among_the_techniques(detector: Detector) -> None:
    assert set(detector.documented) <= set(detector.techniques)


@EVERY
def test_a_detector_names_each_technique_once(detector: Detector) -> None:
    assert len(set(detector.techniques)) == len(detector.techniques)


def test_every_runtime_detector_has_a_technique() -> None:
    without = [name for name, one in CATEGORIES.items() if one.source == RUNTIME and not one.techniques]

    assert without == []


def test_a_hash_is_expected_of_malicious_binaries_and_libraries_alone() -> None:
    about_a_file = {name for name, detector in CATEGORIES.items() if detector.malicious_file}

    assert about_a_file == {
        "Execution: Added Malicious Binary Executed",
        "Execution: Added Malicious Library Loaded",
        "Execution: Built in Malicious Binary Executed",
        "Execution: Modified Malicious Binary Executed",
        "Execution: Modified Malicious Library Loaded",
    }


def test_display_names_keep_the_spelling_that_google_gives_them() -> None:
    odd = {
        "Execution: Fileless Execution in /memfd:",
        "Execution: Malicious Python executed",
        "Execution: Built in Malicious Binary Executed",
        "Malicious Script Executed",
        "Reverse Shell",
    }

    assert odd <= CATEGORIES.keys()


def test_the_catalogue_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        CATEGORIES["Reverse Shell"] = CATEGORIES["Unexpected Child Shell"]  # type: ignore[index]


PYTHON = "Execution: Malicious Python executed"


@pytest.mark.parametrize(
    ("category", "module", "listed"),
    [
        ("Execution: Malicious Python Executed", "", PYTHON),
        ("CLOUD_RUN_MALICIOUS_PYTHON_EXECUTED", "", PYTHON),
        ("Execution: Fileless Execution in memfd", "", "Execution: Fileless Execution in /memfd:"),
        ("Execution: Python Of Tomorrow", "CLOUD_RUN_MALICIOUS_PYTHON_EXECUTED", PYTHON),
        ("Reverse Shell", "CLOUD_RUN_MALICIOUS_PYTHON_EXECUTED", "Reverse Shell"),
    ],
)
def test_a_detector_is_known_by_any_of_its_names_and_by_its_module_where_none_is(
    category: str, module: str, listed: str
) -> None:
    assert listed_name(category, module) == listed
    assert is_listed(category, module)


@pytest.mark.parametrize("module", ["", "CLOUD_RUN_NEW", "MALICIOUS_PYTHON_EXECUTED", "folders/1/customModules/2"])
def test_a_detector_that_is_not_listed_keeps_the_name_that_google_gives_it(module: str) -> None:
    """Also one of another product, whose module has another name."""
    assert listed_name("Execution: New Detector", module) == "Execution: New Detector"
    assert not is_listed("Execution: New Detector", module)


def test_no_two_detectors_have_a_name_in_common() -> None:
    assert {name: listed_name(name) for name in CATEGORIES} == {name: name for name in CATEGORIES}
    assert {one.api_name: listed_name(one.api_name) for one in CATEGORIES.values()} == {
        one.api_name: name for name, one in CATEGORIES.items()
    }
