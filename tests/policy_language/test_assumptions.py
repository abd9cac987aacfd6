from __future__ import annotations

from typing import Any

import pytest

from firebreak.core.timestamps import parse_instant
from firebreak.policy_language.reading.assumptions import Assumed, NotAnAssumption, read_assumptions
from tests.policy_language.vocabulary import CATALOGUE

NOW = parse_instant("2026-01-01T12:00:00Z")


def read(*texts: str) -> Assumed:
    return read_assumptions(texts, CATALOGUE, NOW)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("virustotal.malicious=40", 40),
        ("virustotal.malicious=0.5", 0.5),
        ("workload.public=true", True),
        ("workload.project=010", "010"),
        ("workload.project=yes", "yes"),
        ("workload.project=", ""),
        ("virustotal.label=a=b", "a=b"),
        ("finding.severity=HIGH", "HIGH"),
        ("workload.labels=tier=critical,team=pay", ("tier=critical", "team=pay")),
        ("workload.labels=[tier=critical]", ("tier=critical",)),
        ('workload.labels=["tier=critical", "team=pay"]', ("tier=critical", "team=pay")),
        ("workload.labels=['tier=critical']", ("tier=critical",)),
        ("workload.labels=", ()),
        ("virustotal.first_seen=2h ago", "2026-01-01T10:00:00Z"),
        ("virustotal.first_seen=2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
    ],
)
def test_an_assumption_has_the_type_that_the_catalogue_gives_it(text: str, value: Any) -> None:
    assert read(text).facts == {text.partition("=")[0]: value}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("virustotal.malicious", "write FACT=VALUE"),
        ("virustotal.malicous=4", "did you mean `virustotal.malicious`"),
        ("virustotal=40", "as a whole it can only be assumed unknown"),
        ("virustotal.malicious=many", "is a number, without quotes, not the text `many`"),
        ("virustotal.malicious=010", "is a number"),
        ("workload.public=yes", "is true or false"),
        ("finding.severity=SEVERE", "is one of `LOW`, `MEDIUM`, `HIGH` or `CRITICAL`"),
        ("workload.labels=critical", "key=value"),
        ("virustotal.first_seen=yesterday", "is a time such as"),
    ],
)
def test_what_supposes_nothing_is_refused_with_what_to_write(text: str, said: str) -> None:
    with pytest.raises(NotAnAssumption, match=said):
        read(text)


def test_a_source_assumed_unknown_gives_nothing_but_what_is_assumed_of_it() -> None:
    assumed = read("virustotal=unknown", "virustotal.label=x", "workload.public=unknown")

    assert assumed.over("virustotal", {"virustotal.malicious": 3}) == {"virustotal.label": "x"}
    assert assumed.over("workload", {"workload.public": True, "workload.kind": "job"}) == {"workload.kind": "job"}
    assert assumed.over("finding", {"finding.category": "A"}) == {"finding.category": "A"}


def test_the_last_word_on_a_fact_counts() -> None:
    assert read("virustotal.malicious=1", "virustotal.malicious=2").facts == {"virustotal.malicious": 2}
    assert read("virustotal.malicious=1", "virustotal.malicious=unknown") == Assumed(
        {}, frozenset({"virustotal.malicious"})
    )
    assert read("virustotal.malicious=unknown", "virustotal.malicious=1") == Assumed({"virustotal.malicious": 1})
