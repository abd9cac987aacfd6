"""A tag, a revision or an account may be called like a secret, and stays what it is in all that is shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from firebreak.cli import main as cli
from firebreak.core.messages.composing import compose
from firebreak.core.messages.plain_text import plain_text
from firebreak.core.secrets.redaction import Named, named, safe
from tests.response.harness import ALWAYS, BAD, GOOD, ON_LATEST, Lines, revision, world_of

TAGS = ("secret", "token", "password", "api-key", "auth")
TAGGED: tuple[Mapping[str, Any], ...] = (*ON_LATEST, *({"revision": BAD, "tag": tag} for tag in TAGS))
SECRETIVE = (
    revision("token-00006-abc", 6, "-30d"),
    revision("token-00007-abc", 7, "-10d"),
    revision("secret-00008-abc", 8, "-3h"),
)


@pytest.mark.parametrize("mode", ["enforce", "approve"])
def test_tags_that_are_called_like_secrets_are_shown_and_come_back(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the plan, the question, the lines to undo it by hand, the chat, the vault, the screen."""
    policy = ALWAYS.replace("mode: enforce", f"mode: {mode}").replace("{mode: enforce}", f"{{mode: {mode}}}")
    with Lines(tmp_path)(world_of(traffic=TAGGED), policy=policy) as line:
        incident = line.respond(line.finding())
        if mode == "approve":
            asked = plain_text(compose(incident))
            assert f"service.traffic.tag.secret: {BAD} → (not set)" in asked
            line.approve(incident, "alice")
            incident = line.read(incident)
        shown = line.shown(incident)

        assert incident.phase == "contained"
        assert shown["plan"]["changes"][0]["before"]["service.traffic.tag.token"] == BAD
        again = ",".join(f"{tag}={BAD}" for tag in sorted(TAGS))
        assert any(f"--update-tags={again}" in text.split() for text in shown["undo"])
        monkeypatch.setenv("FIREBREAK_LEDGER", line.app.settings.ledger)
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
        assert cli.main(("incident", "show", incident.id)) == 0
        vault = next((tmp_path / "firebreak" / "evidence" / incident.id).glob("incident.json")).read_text()
        texts = (
            capsys.readouterr().out,
            plain_text(compose(incident)),
            json.dumps(shown),
            json.dumps(line.announced),
            json.dumps([one.body for one in line.app.ledger.documents.newest("incident", 5)]),
            vault,
        )
        assert [text for text in texts if "[redacted" in text] == []
        line.release(incident, "alice")
        assert {one.tag for one in line.world.service("checkout").service.traffic} >= set(TAGS)


def test_revisions_that_are_called_like_secrets_are_shown(tmp_path: Path) -> None:
    with Lines(tmp_path)(world_of(revisions=SECRETIVE), policy=ALWAYS) as line:
        incident = line.respond(line.finding())
        shown = line.shown(incident)

        assert incident.phase == "contained"
        assert shown["plan"]["changes"][0]["after"]["service.traffic.split"] == "token-00007-abc=100"
        assert "[redacted" not in json.dumps(shown)


@pytest.mark.parametrize(
    "text",
    [
        "Password1",
        "hunter2 x",
        "a" * 64,
        "A=1",
        "token=Hun7er2",
        "secret=\x1b",
        "x-=100",
        "a=1000",
        "service.traffic.tag.A",
    ],
)
def test_what_no_name_can_be_is_never_taken_for_one(text: str) -> None:
    """Cloud Run allows lower-case letters, digits and hyphens, and nothing else gets onto that road."""
    assert not isinstance(named(text), Named)


@pytest.mark.parametrize(
    "text", ["secret", GOOD, f"{GOOD}=100", f"{GOOD}=60,{BAD}=40", "LATEST=100", "service.traffic.tag.token"]
)
def test_names_and_shares_are_taken_for_what_they_are(text: str) -> None:
    assert isinstance(named(text), Named)
    assert safe(named(text)) == text


def test_a_name_is_escaped_and_bounded_all_the_same() -> None:
    assert safe(Named("a\x1b[31m")) == "a\\u001b[31m"
    assert len(safe(Named("a" * 9_000))) < 2_100


def test_a_revision_that_looks_like_a_token_is_named_where_a_person_decides(tmp_path: Path) -> None:
    """Whoever deploys chooses the name; one that is hidden is a suspect that nobody can look up."""
    suspect = "glpat-" + "abcdefghijklmnopqrst" + "-00008-bad"
    revisions = (revision("checkout-00007-good", 7, "-10d"), revision(suspect, 8, "-3h"))
    policy = ALWAYS.replace("mode: enforce", "mode: approve").replace("{mode: enforce}", "{mode: approve}")
    with Lines(tmp_path)(world_of(revisions), policy=policy) as line:
        shown = line.shown(line.respond(line.finding()))

        assert shown["phase"] == "waiting"
        assert shown["decision"]["suspects"] == [suspect]
