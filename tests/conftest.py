from __future__ import annotations

import gc
import os
import shutil
from collections import Counter
from collections.abc import Generator, Iterator

import pytest
from hypothesis import Phase, settings

# Property tests know no deadline: machines that run them are busy. What they draw is the same for everybody.
settings.register_profile("firebreak", deadline=None, derandomize=True)
settings.load_profile("firebreak")
# For mutation testing, where it only matters that a test fails and not by which smallest case.
settings.register_profile("any-failure", settings.get_profile("firebreak"), phases=(Phase.explicit, Phase.generate))

# What tests talk to is on this machine; those that are about a proxy name their own.
for name in [one for one in os.environ if one.lower().endswith("_proxy")]:
    del os.environ[name]

THOROUGH = (
    "adapters/test_proxies.py",
    "benchmarks/test_start_up.py",
    "cli/test_demo.py",
    "faults/test_call_faults.py",
    "faults/test_crash_points.py",
    "faults/test_filter_injection.py",
    "faults/test_message_corpus.py",
    "faults/test_secret_forms_everywhere.py",
    "faults/test_taint.py",
    "guards/test_probes.py",
    "laws/test_actions_over_the_wire.py",
    "laws/test_every_state_of_a_services_doors.py",
    "laws/test_laws_find_wrong_plugins.py",
    "laws/test_responder_laws.py",
    "model/test_histories_over_the_wire.py",
    "model/test_many_histories.py",
    "model/test_walk_with_a_death.py",
)
"""Every case of something, where a few would tell most: left out of `make test`, which has to be quick."""


LONGEST = "test_walk_with_a_death.py"
"""One test of minutes, which comes first, so that no worker waits for it in the end."""
NEEDED = {"emulator": ("gcloud", "java"), "terraform": ("terraform",)}
"""Marker to the programs that its tests need. Where one is missing they are skipped, and pytest's summary says why."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None]:
    """What is imported and collected stays until the end: each worker spent seconds on looking for garbage among it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what takes long and skip what cannot run here, in one place."""
    missing = {
        marker: ", ".join(name for name in programs if not shutil.which(name)) for marker, programs in NEEDED.items()
    }
    for item in items:
        for marker in [one for one in NEEDED if missing[one] and item.get_closest_marker(one)]:
            item.add_marker(pytest.mark.skip(reason=f"needs {marker}: not on this machine: {missing[marker]}"))
        if item.path.as_posix().endswith(THOROUGH):
            item.add_marker(pytest.mark.thorough)
    items.sort(key=lambda item: item.path.name != LONGEST)


MANY_FILES = 10


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how often each `figure` was seen that tests recorded, and of many files those that took longest."""
    reports = [one for some in terminalreporter.stats.values() for one in some if isinstance(one, pytest.TestReport)]
    figures = Counter(
        str(value)
        for report in reports
        if report.when == "call"
        for name, value in report.user_properties
        if name == "figure"
    )
    if figures:
        terminalreporter.section("figures")
    for figure, count in sorted(figures.items()):
        terminalreporter.write_line(f"{count:5} {figure}")
    took = dict.fromkeys((one.nodeid.partition("::")[0] for one in reports), 0.0)
    for one in reports:
        took[one.nodeid.partition("::")[0]] += one.duration
    if len(took) > MANY_FILES:
        terminalreporter.section("slowest files")
        for path in sorted(took, key=lambda path: took[path], reverse=True)[:MANY_FILES]:
            terminalreporter.write_line(f"{took[path]:6.1f} s  {path}")


@pytest.fixture(scope="session", autouse=True)
def ledgers_that_need_not_outlive_a_loss_of_power() -> Iterator[None]:
    """Waiting for the disk at every save is a good part of what the tests would take."""
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr("firebreak.adapters.storage.sqlite._SYNCHRONOUS", "OFF")
        yield


@pytest.fixture(scope="session")
def firestore_host() -> Iterator[str]:
    """Google's Firestore emulator, one for all tests: each takes a project of its own."""
    from tests.emulators.google_emulator import firestore_emulator  # noqa: PLC0415 - copies of the tests leave it out

    with firestore_emulator() as host:
        yield host
