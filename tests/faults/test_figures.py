"""The figures on the page of what was tried are those of the tests."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.faults.secret_forms import HARMLESS, LISTS, NAMED, TOKENS
from tests.faults.secrets_planted import SECRETS, texts_of
from tests.faults.test_call_faults import ENDS, faults
from tests.faults.test_crash_points import RUNS, enumerate_points
from tests.faults.test_message_corpus import CASES
from tests.faults.test_taint import PAIR
from tests.laws import test_standing_laws as standing_laws
from tests.model.test_histories import FEW
from tests.response.harness import Lines

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reliability.md").read_text(encoding="utf-8")


def figures_of(file: str) -> str:
    """The last cell of the row that names this file first."""
    row = next(line for line in PAGE.splitlines() if line.startswith("| ") and f"(`tests/{file}`" in line)
    return row.rstrip("| ").rpartition(" | ")[2]


def test_the_deaths_are_as_many_as_a_run_has_points(tmp_path: Path) -> None:
    deaths = Counter[str]()
    for number, (doing, regions) in enumerate(RUNS):
        folder = tmp_path / str(number)
        folder.mkdir()
        deaths[doing] += len(enumerate_points(doing, Lines(folder), regions))

    assert figures_of("faults/test_crash_points.py") == (
        f"{deaths.total()} deaths ({deaths['respond']} while it responds and {deaths['release']} while it releases, in"
        f" one region and in two, {deaths['approve']} while it approves), each repaired by the next delivery; no"
        " announcement sent more than twice"
    )


def test_the_call_faults_end_as_the_page_says() -> None:
    ends = Counter(ENDS.get(name, "contained") for name, _ in faults())

    assert figures_of("faults/test_call_faults.py") == (
        f"{ends.total()} cells: {ends['contained']} contained in the end, {ends['waiting']} asked,"
        f" {ends['failed']} failed, {ends['deferred']} deferred; none written twice, none untrue"
    )


def test_the_messages_secrets_and_histories_are_as_many_as_the_page_says() -> None:
    drawn = standing_laws.TestOneService.settings.max_examples
    tokens, harmless = f"{len(TOKENS)} shapes of tokens, {len(NAMED)} named, {len(LISTS)} lists", len(HARMLESS)

    assert figures_of("faults/test_message_corpus.py") == f"{len(CASES)} messages"
    assert figures_of("faults/test_taint.py") == (
        f"{len([*texts_of(PAIR)])} fields of a message, {len(SECRETS)} kinds of secrets, nothing found"
    )
    assert figures_of("faults/test_secret_forms.py") == f"{tokens}, none shown; {harmless} harmless, shown whole"
    assert figures_of("laws/test_standing_laws.py").startswith(f"{drawn} drawn histories")
    assert figures_of("model/test_histories.py").startswith(f"{FEW.max_examples} histories each time")
