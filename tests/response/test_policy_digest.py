"""One digest names a set of policies: in the command, on the record, on the topic, in the log and in what is packed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from firebreak.cli.main import main
from tests.response.harness import Lines


def test_the_command_the_record_the_topic_and_the_log_name_a_set_alike(
    line: Lines, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with line() as on:
        shown = on.shown(on.respond(on.finding()))
        published = [one["decision"]["policy_set"] for one in on.announced if one["decision"]]
    folder, history = tmp_path / "policies", tmp_path / "history.jsonl"
    history.write_text(json.dumps(shown))
    monkeypatch.setenv("FIREBREAK_POLICIES", str(folder))

    assert main(["policy", "digest"]) == 0
    digest = capsys.readouterr().out.strip()
    assert main(["policy", "digest", str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert main(["policy", "log", str(history), "--json"]) == 0
    log = json.loads(capsys.readouterr().out)

    assert len(digest) == 64
    assert set(published) == {digest}
    assert (shown["decision"]["policy_set"], told["digest"]) == (digest, digest)
    assert [(one["policy_set"], one["here"]) for one in log["sets"]] == [(digest, True)]


def test_no_digest_is_told_of_policies_that_do_not_load(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.yaml").write_text("id: x\n")

    assert main(["policy", "digest", str(tmp_path)]) == 1
    assert "needs the key `when`" in capsys.readouterr().out
    assert main(["policy", "digest", str(tmp_path / "nowhere")]) == 2
