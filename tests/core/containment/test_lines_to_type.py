"""What people copy into a shell is words alone, whatever a name says, and whatever is redacted or cut of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.gcloud_rollback import undo_lines
from firebreak.core.containment.plan import Plan
from firebreak.core.incidents.next_steps import next_steps
from firebreak.core.incidents.release import Release, ReleasedKey
from firebreak.core.secrets.redaction import safe
from tests.cli.commands import incident

HOSTILE = (
    "--password '; touch pwned; ",
    "API_KEY=\"Authorization: Basic password=''; touch pwned; {AKIA1234567890ABCDEF",
    "$(touch pwned)`touch pwned`",
    "-----BEGIN PRIVATE KEY-----' ",
    f"{'x' * 1990}'; touch pwned; '",
    "\n" * 400 + "'; touch pwned; '",
    "token=abcdefgh " * 100 + "'; touch pwned; '",
)


def beyond_words(line: str) -> str:
    """What of a line is more to a shell than words. Its comments too: some know none where they are typed."""
    left, quote = "", ""
    for letter in line:
        if letter == quote:
            quote = ""
        elif not quote and letter in "'\"":
            quote = letter
        elif letter in ("`$" if quote == '"' else "" if quote else ";|&<>()`$\n"):
            left += letter
    return left + (f"{quote} is open" if quote else "")


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("surface", ["service_iam", "job_iam"])
def test_a_grant_to_give_back_is_words_alone(surface: str, hostile: str) -> None:
    condition = json.dumps({"expression": "true", "title": hostile})
    known = incident("contained").plan
    assert known is not None
    for key, value in (
        (f"{surface}.roles/run.invoker|title#0|allUsers", condition),
        (f"{surface}.roles/run.invoker||principal://iam.googleapis.com/subject/{hostile}", True),
    ):
        change = replace(known.changes[0], surface=surface, before={key: value}, after={key: None})
        lines = [safe(line) for line in undo_lines(Plan((change,), ()))]

        assert lines
        assert [beyond_words(line) for line in lines] == [""]
        assert "AKIA1234567890ABCDEF" not in lines[0]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_setting_to_give_up_is_a_word(hostile: str) -> None:
    key = f"job_iam.roles/run.invoker||principal://iam.googleapis.com/subject/{hostile}"
    one = incident("releasing")
    assert isinstance(one.finding.target, Target)
    refused = ReleasedKey(one.finding.target, key, before=None, after=True, result="refused")
    steps = next_steps(replace(one, release=Release("ada", keys=(refused,), rests=True)))

    assert [one.word for one in steps] == ["again", "leave"]
    assert [beyond_words(safe(one.command)) for one in steps] == ["", ""]
