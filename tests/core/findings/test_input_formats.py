from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.errors import Malformed
from firebreak.core.findings.input_formats import LARGEST, read_findings
from sandbox.scc.notification_variants import console_json
from sandbox.scc.notifications import malicious_binary_finding, notification_v1, notification_v2, push_body

PAIR = malicious_binary_finding()
BODY = notification_v2(PAIR)
PLAIN = read_findings(BODY)[0].finding


def message() -> dict[str, Any]:
    return {"data": base64.b64encode(BODY).decode(), "messageId": "1", "publishTime": "2026-10-01T10:00:03Z"}


def snake(value: Any) -> Any:
    if isinstance(value, list):
        return [snake(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        "".join(f"_{char.lower()}" if char.isupper() else char for char in key): snake(one)
        for key, one in value.items()
    }


FORMS: dict[str, Callable[[], Any]] = {
    "an SCC notification": lambda: json.loads(BODY),
    "a push delivery": lambda: json.loads(push_body(BODY)),
    "a bare message": message,
    "what a pull command prints": lambda: [{"ackId": "x", "message": message()}],
    "an answer to a pull": lambda: {"receivedMessages": [{"ackId": "x", "message": message()}]},
    "a structured event": lambda: {"specversion": "1.0", "type": "t", "data": {"message": message()}},
    "a finding of the API with its resource inside": lambda: {**PAIR["finding"], "resource": PAIR["resource"]},
    "the console's JSON tab": lambda: json.loads(console_json(PAIR)),
    "a row that gcloud lists": lambda: [{"finding": PAIR["finding"], "resource": PAIR["resource"]}],
    "an answer to a listing": lambda: {"listFindingsResults": [dict(PAIR)]},
    "an export in snake case": lambda: snake(dict(PAIR)),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_finding_is_read_the_same_in_every_form(form: str) -> None:
    (found,) = read_findings(json.dumps(FORMS[form]()).encode())

    assert found.finding == PLAIN
    assert not found.deleted


def test_a_finding_of_the_api_alone_is_enough() -> None:
    (found,) = read_findings(json.dumps(PAIR["finding"]).encode())

    assert found.finding.name == PLAIN.name
    assert found.finding.category == PLAIN.category


def test_a_message_of_the_first_version_is_read_too() -> None:
    (found,) = read_findings(notification_v1(PAIR))

    assert found.finding.incident_id == PLAIN.incident_id


def test_every_row_of_a_listing_is_a_finding_and_deletions_are_told() -> None:
    rows = [dict(PAIR), json.loads(notification_v2(PAIR, deleted=True))]

    assert [one.deleted for one in read_findings(json.dumps(rows).encode())] == [False, True]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "not JSON text"),
        (b"{", "not JSON text"),
        (b"\xff\xfe", "not JSON text"),
        (b"[" * 100_000, "not JSON text"),
        (b"[]", "there is no finding in it"),
        (b'{"a": 1}', "there is no finding in it"),
        (b'"text"', "there is no finding in it"),
        (b'[[[[[[[[[[{"finding": {}}]]]]]]]]]]', "there is no finding in it"),
        (b'{"data": "%%%", "messageId": "1"}', "the message's data is not base64"),
        (b'{"data": "bm8="}', "not JSON text"),
        (b'{"finding": {"name": "x"}}', "the finding's name is not one that SCC gives"),
        (b" " * (LARGEST + 1), "larger than 10 MB"),
    ],
)
def test_what_holds_no_finding_is_refused_with_a_sentence(text: bytes, said: str) -> None:
    with pytest.raises(Malformed, match=said):
        read_findings(text)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["finding", "data", "message", "name", "category", "resource"]), inner)
    ),
    max_leaves=8,
)


@given(_JSON)
def test_any_json_at_all_is_read_or_refused(value: Any) -> None:
    try:
        said = [one.finding.name.finding for one in read_findings(json.dumps(value).encode())]
    except Malformed as refused:
        said = [str(refused)]

    assert all(said)
