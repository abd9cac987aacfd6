from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import settings

# Property tests know no deadline: machines that run them are busy. What they draw is the same for everybody.
settings.register_profile("firebreak", deadline=None, derandomize=True)
settings.load_profile("firebreak")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how often each thing was seen that a test recorded as a `figure`."""
    figures = Counter(
        str(value)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, value in report.user_properties
        if name == "figure"
    )
    if figures:
        terminalreporter.section("figures")
    for figure, count in sorted(figures.items()):
        terminalreporter.write_line(f"{count:5} {figure}")


@pytest.fixture(scope="session")
def firestore_host() -> Iterator[str]:
    """Google's Firestore emulator, one for all tests: each takes a project of its own."""
    from tests.emulators.google_emulator import firestore_emulator  # noqa: PLC0415 - copies of the tests leave it out

    with firestore_emulator() as host:
        yield host
