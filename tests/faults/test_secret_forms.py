"""What is a secret by its looks, by the name before it or by its place is shown nowhere; what is none is kept whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.adapters.log import log_json
from firebreak.core.evidence.manifest import sealed_copy
from firebreak.core.evidence.redacted_copy import parse_if_json, redact
from firebreak.core.findings.notification import parse_notification
from firebreak.core.secrets.redaction import safe, safe_texts, safe_value
from firebreak.core.signing import Seal
from sandbox.scc.notifications import malicious_binary_finding, notification_v2
from tests.faults.secret_forms import HARMLESS, LISTS, NAMED, TELLING, TOKENS

CARRIERS = (
    "{}",
    "it said {} and went on",
    "TOKEN_X={}",
    "X={}",
    'args: ["run", "{}"]',
    "https://x.example/a?b={}",
    "X-Header: {}",
    "user:{}@",
    "({})",
    "path/{}/x",
    '{{"a": "{}"}}',
)
PIECES = st.sampled_from(
    [*NAMED, *(token for token, _ in TOKENS.values()), *HARMLESS, " ", "\n", '"', "'", "-p", "=", "["]
)


def test_there_are_as_many_forms_as_were_promised() -> None:
    assert len({*TOKENS, *NAMED, *LISTS}) >= 98 + 60
    assert len(TOKENS) >= 98
    assert len(set(HARMLESS)) >= 60


@pytest.mark.parametrize("name", TOKENS)
def test_a_token_is_known_by_its_looks_in_whatever_it_stands(name: str) -> None:
    """Not four characters of it are shown, in a text or in a copy."""
    token, body = TOKENS[name]
    for carrier in CARRIERS:
        text = carrier.format(token)
        for shown in (safe(text), json.dumps(redact({"a": [text]})), json.dumps(redact(parse_if_json(text)))):
            assert body[:5] not in shown, carrier
            assert body[-5:] not in shown, carrier


@pytest.mark.parametrize("text", NAMED)
def test_a_secret_is_known_by_the_name_before_it_or_by_its_place(text: str) -> None:
    """In whatever is shown, kept or logged, also as a part of something longer."""
    for shown in (
        safe(text),
        safe(f"run: {text}\nnext"),
        json.dumps(redact({"a": [text]})),
        json.dumps(safe_value([text])),
    ):
        assert [told for told in TELLING if told in shown] == []


@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_a_secret_may_be_an_item_of_its_own(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """In the message, the finding, what Cloud Run says of workloads, the record, the log."""
    pair = malicious_binary_finding()
    pair["finding"]["processes"] = [{"args": ["run", *words], "binary": {"path": "/x"}}]
    message = notification_v2(pair)
    log_json("INFO", "x", args=list(words))
    container = {"containers": [{"command": ["run"], "args": list(words)}]}
    kept = [
        *(
            sealed_copy("fb-1", stem, {"template": container}, Seal((b"k",))).decode()
            for stem in ("service", "revisions")
        ),
        *(
            sealed_copy("fb-1", stem, {"template": {"template": container}}, Seal((b"k",))).decode()
            for stem in ("job", "pool")
        ),
        sealed_copy("fb-1", "message", message, Seal((b"k",))).decode(),
        " ".join(parse_notification(message).finding.commands),
        json.dumps(safe_texts({"shown": [list(words)]})),
        json.dumps(safe_value({"args": words})),
        capsys.readouterr().out,
        safe(" ".join(words)) if words[0].startswith("-") and " " not in words[-1] else "",
    ]

    for shown in kept:
        assert [told for told in TELLING if told in shown] == []


@pytest.mark.parametrize("before", ["\\n", "\\t", "\\x20", "\\u003d", "%3D", "%20", "\\r\\n"])
@pytest.mark.parametrize(
    "name", ["gh~p_", "AK~IA", "AI~za", "xo~xb-2401-", "pa~t.Kq7Zt4mXw9LkR2vBn6HsJ8.Kq7Zt4mXw9LkR2vBn6HsJ8dP."]
)
def test_a_token_is_known_behind_an_escape_that_ends_in_a_letter_or_digit(name: str, before: str) -> None:
    """As in JSON within JSON, in what `printf` is given, and in a query."""
    token, body = TOKENS[name]
    for shown in (safe(f"A=1{before}{token}"), json.dumps(redact({"a": [f"A=1{before}{token}"]}))):
        assert body[:5] not in shown
        assert body[-5:] not in shown


@pytest.mark.parametrize(
    "text",
    [
        "password      = {}",
        "password:\t\t\t\t\t{}",
        "password: |\n  {}",
        "password: >-\n    {}",
        "<password><![CDATA[{}]]></password>",
        "define('DB_PASSWORD', '{}')",
        "ALTER USER app WITH PASSWORD '{}'",
        "A=1\\napi_key={}",
        "A=1\\npwd={}",
    ],
)
def test_a_value_is_found_where_files_and_programs_put_it_behind_its_name(text: str) -> None:
    """Aligned, in a block of YAML, as character data, as the next argument, behind an escaped new line."""
    value = "S3cr" + "3tV4lueOfX9"

    assert value not in safe(text.format(value))


@pytest.mark.parametrize("scheme", ["Bearer", "Basic", "Token", "bearer", "Negotiate"])
def test_the_scheme_of_a_header_is_not_taken_for_its_credentials(scheme: str) -> None:
    """A header whose words are items of a list of their own."""
    value = "S3cr" + "3tV4lueOfX9"
    words = ["curl", "-H", "Authorization:", scheme, value]
    pair = malicious_binary_finding()
    pair["finding"]["processes"] = [{"args": words}]

    assert value not in json.dumps(safe_value({"args": words}))
    assert value not in " ".join(parse_notification(notification_v2(pair)).finding.commands)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_is_kept_whole(text: str) -> None:
    """Hashes, digests, addresses, names of resources, sentences, commands without a secret."""
    assert safe(text) == text
    assert safe_value({"a": [text, "x"]}) == {"a": [text, "x"]}
    assert redact({"a": [text, "x"]}) == {"a": [text, "x"]}


@given(st.lists(PIECES, max_size=12).map("".join))
def test_showing_forms_of_secrets_twice_is_showing_them_once(text: str) -> None:
    assert safe(safe(text)) == safe(text)


def steps(text: str) -> int:
    """How many looks a text takes until nothing changes any more; each costs time in proportion to its length."""
    looks = 0
    while (shown := safe(text, 1_000_000)) != text:
        text, looks = shown, looks + 1
    return looks


@given(st.text(alphabet="aA1-_=:\"'\\[]<>/@ .p\n", max_size=400))
def test_no_text_of_what_secrets_are_written_with_takes_more_than_one_look(text: str) -> None:
    assert steps(text) <= 1


def test_a_list_of_more_than_is_shown_of_a_command_is_not_read_to_its_end() -> None:
    """The size is bounded before anything is looked at."""
    pair: Any = malicious_binary_finding()
    pair["finding"]["processes"] = [{"args": ["--token", *["x"] * 300_000]}] * 3
    finding = parse_notification(notification_v2(pair)).finding

    assert all(len(one) < 2_100 for one in finding.commands)
