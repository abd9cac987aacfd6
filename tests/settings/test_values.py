"""A variable counts by what it says: what says nothing is not set, and what cannot be used is refused by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.settings import Settings, SettingsFault, read_settings

KEY = "0123456789abcdef"
SELF = "//run.googleapis.com/projects/p/locations/l/services/s"
NOTHING = ("", " ", "\t\n", '""', "''", ' "" ', '"\'"', "\u00a0")
NO_LIST = (*NOTHING, ",", " , ,", '"",""', "\"','\"")
TOPICS = ("FIREBREAK_INCIDENTS_TOPIC", "FIREBREAK_DEAD_LETTER_TOPIC", "FIREBREAK_COMMANDS_TOPIC")
WEBHOOKS = ("FIREBREAK_SLACK_WEBHOOK", "FIREBREAK_CHAT_WEBHOOK")
HOSTS = (
    "CLOUD_RUN_EMULATOR_HOST",
    "ADMIN_EMULATOR_HOST",
    "PUBSUB_EMULATOR_HOST",
    "STORAGE_EMULATOR_HOST",
    "VIRUSTOTAL_HOST",
)


def read(**environment: str) -> Settings:
    return read_settings({"HOME": "/nonexistent", **environment})


def refused(**environment: str) -> str:
    with pytest.raises(SettingsFault) as caught:
        read(**environment)
    return str(caught.value)


@pytest.mark.parametrize("value", NO_LIST)
@pytest.mark.parametrize("name", ["FIREBREAK_SELF", "FIREBREAK_SEAL_KEY"])
def test_a_list_of_nothing_is_not_set_and_keeps_a_deployment_at_monitor(name: str, value: str) -> None:
    settings = read(**{"K_SERVICE": "firebreak", name: value})

    assert (settings.own, settings.seal_keys) == ((), ())
    assert f"deployed, and {name} is not set" in {one.reason for one in settings.ceilings}


def test_a_list_is_its_parts_without_what_is_between_them() -> None:
    settings = read(FIREBREAK_SEAL_KEY=f" {KEY} ,, {KEY[::-1]},", FIREBREAK_SELF=f",{SELF} ", K_SERVICE="firebreak")

    assert settings.seal_keys == (KEY, KEY[::-1])
    assert settings.own == (SELF,)
    assert {one.reason for one in settings.ceilings} & {
        "deployed, and FIREBREAK_SELF is not set",
        "deployed, and FIREBREAK_SEAL_KEY is not set",
    } == set()


@pytest.mark.parametrize("value", NOTHING)
@pytest.mark.parametrize(
    "name", ["VIRUSTOTAL_API_KEY", "FIREBREAK_CEILING", "FIREBREAK_LEDGER", *TOPICS, *WEBHOOKS, *HOSTS]
)
def test_a_variable_that_says_nothing_is_as_if_it_were_not_there(name: str, value: str) -> None:
    assert read(**{name: value}) == read()


@given(st.text("\"' ,\t\n", max_size=8))
def test_no_spelling_of_nothing_is_a_seal_key(value: str) -> None:
    assert read(FIREBREAK_SEAL_KEY=value).seal_keys == ()


@pytest.mark.parametrize("value", ["k", "k,l", "1234567"])
def test_a_seal_key_that_can_be_guessed_is_none_and_a_deployment_says_so(value: str) -> None:
    """One of a letter would be found by trying; what is set and does not count is said on every record."""
    settings = read(FIREBREAK_SEAL_KEY=value, K_SERVICE="firebreak")

    assert settings.seal_keys == ()
    assert "deployed, and FIREBREAK_SEAL_KEY has no key of 8 characters or more" in {
        one.reason for one in settings.ceilings
    }


def test_a_short_key_beside_a_long_one_signs_and_verifies_nothing() -> None:
    assert read(FIREBREAK_SEAL_KEY=f"k,{KEY}").seal_keys == (KEY,)


@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FIREBREAK_SEAL_KEY", KEY),
        ("VIRUSTOTAL_API_KEY", "abc"),
        ("FIREBREAK_SLACK_WEBHOOK", "https://hooks.slack.com/services/x"),
        ("FIREBREAK_INCIDENTS_TOPIC", "projects/p/topics/t"),
        ("FIREBREAK_POLICIES", "/policies"),
        ("CLOUD_RUN_EMULATOR_HOST", "127.0.0.1:1"),
    ],
)
def test_quotes_that_an_env_file_kept_are_refused_by_the_variable_s_name(name: str, value: str, quote: str) -> None:
    said = refused(**{name: f"{quote}{value}{quote}"})

    assert f"{name}: the value has quotes around it" in said
    if name in ("FIREBREAK_SEAL_KEY", "VIRUSTOTAL_API_KEY", *WEBHOOKS):
        assert value == "https://" or value not in said


@pytest.mark.parametrize("comma", [",", " ,", ", ,"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FIREBREAK_CEILING", "enforce"),
        ("FIREBREAK_CEILING", ""),
        ("FIREBREAK_SCC_MARKS", "on"),
        ("FIREBREAK_EVIDENCE", "gs://bucket"),
        ("FIREBREAK_INCIDENTS_TOPIC", "projects/p/topics/t"),
        ("FIREBREAK_LEDGER", ""),
        ("CLOUD_RUN_EMULATOR_HOST", "127.0.0.1:1"),
        ("VIRUSTOTAL_HOST", "http://127.0.0.1:1"),
    ],
)
def test_a_comma_after_what_is_no_list_is_refused_by_the_variable_s_name(name: str, value: str, comma: str) -> None:
    assert refused(**{name: value + comma}).startswith(name)


def test_a_secret_may_end_in_a_comma() -> None:
    assert read(VIRUSTOTAL_API_KEY="key,").virustotal_key == "key,"


@pytest.mark.parametrize("after", ["/x", "?x", "#x"])
def test_an_emulator_is_a_host_and_a_port_and_nothing_after_them(after: str) -> None:
    assert "CLOUD_RUN_EMULATOR_HOST" in refused(CLOUD_RUN_EMULATOR_HOST=f"127.0.0.1:1{after}")


@pytest.mark.parametrize("name", WEBHOOKS)
@pytest.mark.parametrize(
    "value",
    [
        "REPLACE_ME",
        "hooks.slack.com/services/T0/B0/x",
        "https:hooks.slack.com/x",
        "https://",
        "https:///services/x",
        "https://<your webhook>",
        "https://hooks.slack.com/services/<T>/<B>/<token>",
        "https://hooks.slack.com/${TOKEN}",
        "https://hööks.slack.com/x",
        "https://hooks.slack.com/ü",
        "https://hooks.slack.com/a b",
        "https://hooks.slack.com:99999/x",
        "https://user:word@hooks.slack.com/x",
        "http://hooks.slack.com/services/x",
        "http://10.0.0.1:8080/x",
        "ftp://hooks.slack.com/x",
        "projects/p/topics/t",
    ],
)
def test_what_is_no_webhook_is_refused_at_start_by_name_and_not_shown(name: str, value: str) -> None:
    said = refused(**{name: value})

    assert said.startswith(f"{name}: this is no webhook")
    assert value == "https://" or value not in said


@pytest.mark.parametrize(
    "value",
    [
        "https://hooks.slack.com/services/T0/B0/abcDEF123",
        "https://chat.googleapis.com/v1/spaces/A/messages?key=a-b_c&token=x%3D",
        "https://chat.example:8443/hook",
        "http://127.0.0.1:8080/hook",
        "http://[::1]:8080/hook",
        "http://localhost:8080/hook",
    ],
)
def test_a_webhook_is_taken_as_the_chat_shows_it(value: str) -> None:
    assert read(FIREBREAK_CHAT_WEBHOOK=value).chat_webhook == value


@pytest.mark.parametrize("name", TOPICS)
@pytest.mark.parametrize(
    "value", ["projects//topics/", "projects/p/topics/", "projects//topics/t", "projects/p/topics/t/x"]
)
def test_a_topic_without_a_name_or_a_project_is_refused(name: str, value: str) -> None:
    assert refused(**{name: value}).startswith(f"{name}={value}: projects/PROJECT/topics/TOPIC")
