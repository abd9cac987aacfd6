"""`policy promote`: what a policy did in shadow, or in its mode, and the edit of its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from firebreak.policy_folder import read_folder, read_yaml_policies
from tests.backtest.histories import CONFIG, POLICY, lines, policies_in, recorded
from tests.cli.commands import Told

COMMENTED = POLICY.replace(
    "mode: enforce\nwhen", "# as the shop wants it\nmode: enforce  # from June on\nshadow: true\nwhen"
)


def shadowed(
    number: int, mode: str, decided: tuple[str, str] = ("wide", "monitor"), by: str = "malware", **more: Any
) -> dict[str, Any]:
    """A record that one policy decided, with what the policy in shadow would have made of it."""
    own = {"policy": "malware", "truth": more.pop("truth", "true"), "by": by, "mode": mode, "wanted": "enforce"}
    decision = {"policy": decided[0], "mode": decided[1], "shadow": [own | {"fault": more.pop("fault", "")}]}
    return recorded(number, decision=decision, created=f"2026-06-0{number}T09:00:00Z", **more)


RECORDS = (
    shadowed(1, "enforce", closed_as="true_positive", service="a"),
    shadowed(2, "approve", closed_as="benign", service="a", truth="unknown"),
    shadowed(3, "approve", closed_as="false_positive", service="b"),
    shadowed(4, "monitor", service="c"),
    shadowed(5, "monitor", by="wide"),
    shadowed(6, "monitor", by="", fault="KeyError at firebreak/core/x.py:1"),
    recorded(7, decision={"policy": "wide", "mode": "monitor"}),
    recorded(8),
)


@pytest.fixture
def promote(firebreak: Told, tmp_path: Path) -> Told:
    """The command on a history and a folder of one policy, in shadow unless the test writes another."""
    (tmp_path / "history.jsonl").write_text(lines(*RECORDS))
    folder = policies_in(tmp_path / "policies", COMMENTED)

    def run(*words: str) -> Any:
        return firebreak("policy", "promote", "malware", str(tmp_path / "history.jsonl"), "--policies", folder, *words)

    return run


def test_what_it_would_have_decided_is_counted_with_what_people_made_of_it(promote: Told) -> None:
    shown = promote("--json").json

    assert (shown["incidents"], shown["fired"], shown["in_force"]) == (7, 4, 0)
    assert shown["by_mode"] == {"enforce": 1, "approve": 2, "monitor": 1}
    assert shown["by_wanted"] == {"enforce": 4, "approve": 0, "monitor": 0}
    assert (shown["would_have_asked"], shown["missing_answers"]) == (2, 1)
    assert (shown["right"], shown["wrong"], shown["not_judged"]) == (1, 2, 1)
    assert sorted(shown["workloads"].values()) == [1, 1, 2]
    assert (shown["anticipated_by"], shown["faults"]) == ({"wide": 1}, 1)
    assert shown["differs"]["count"] == 4
    assert shown["differs"]["ways"]["wide (monitor) → malware (approve)"] == 2
    assert (shown["from"], shown["until"]) == ("2026-06-01T09:00:00Z", "2026-06-05T09:00:00Z")


def test_what_is_of_other_policies_than_lie_here_is_said_to_be_so(promote: Told, tmp_path: Path) -> None:
    """Whoever changes the clauses of a policy that was right, and keeps its name, would have it promoted for that."""
    here = read_yaml_policies(read_folder(tmp_path / "policies")).digest
    known = [dict(one) for one in RECORDS[:4]]
    known[0] = known[0] | {"decision": known[0]["decision"] | {"policy_set": here}}
    (tmp_path / "history.jsonl").write_text(lines(*known))
    shown = promote("--json").json

    assert (shown["fired"], shown["under_other_policies"]) == (4, 3)
    assert "3 of 4 are of a time when other policies lay here" in shown["caveats"][0]
    assert "but 3 of 4 are of a time when other policies lay here" in promote().out


def test_people_see_counts_and_the_edit_and_nothing_is_written(promote: Told, tmp_path: Path) -> None:
    answer = promote()

    assert answer.code == 0
    assert "malware (enforce, in shadow) fired 4 times, on 3 workloads." in answer.out
    assert (
        "  before guards: enforce 4\n  after guards: enforce 1, approve 2, monitor 1; a person asked 2 times"
        in answer.out
    )
    assert "by what people closed these as: right 1, wrong 2, not judged 1" in answer.out
    assert "  -shadow: true\n" in answer.out
    assert "%" not in answer.out
    assert (tmp_path / "policies" / "10.yaml").read_text() == COMMENTED


def test_the_edit_leaves_comments_and_all_else_as_it_stands(promote: Told, tmp_path: Path) -> None:
    answer = promote("--write", "--to", "approve")
    wanted = COMMENTED.replace("shadow: true\n", "").replace("mode: enforce  #", "mode: approve  #")

    assert "Edited: enforce, in shadow, becomes approve, in force" in answer.out
    assert (tmp_path / "policies" / "10.yaml").read_text() == wanted


@pytest.mark.parametrize(
    ("text", "edited"),
    [
        ("shadow: true  # until July\nmode: enforce", "shadow: false  # until July\nmode: approve"),
        ("shadow: true\r\nmode: 'enforce'", "mode: 'approve'"),
        ("mode:\n  enforce\nshadow: true", "mode:\n  approve"),
    ],
    ids=["comment", "other line ends, quotes", "on a line of its own"],
)
def test_however_the_keys_are_written_only_they_change(promote: Told, tmp_path: Path, text: str, edited: str) -> None:
    file = tmp_path / "policies" / "10.yaml"
    file.write_bytes(POLICY.replace("mode: enforce\nwhen", f"{text}\nwhen").encode())
    promote("--write", "--to", "approve")

    assert file.read_bytes().decode() == POLICY.replace("mode: enforce\nwhen", f"{edited}\nwhen")


def test_a_policy_of_a_list_in_braces_is_edited_in_its_place(promote: Told, tmp_path: Path) -> None:
    one = (
        '- {id: NAME, mode: monitor, shadow: true, when: {finding.category: "A"}, then: [{action: cut_traffic}],'
        " examples: [{expect: {mode: monitor}}]}\n"
    )
    file = tmp_path / "policies" / "10.yaml"
    file.write_text(one.replace("NAME", "first") + one.replace("NAME", "malware"))
    promote("--write", "--to", "enforce")
    changed = one.replace("mode: monitor, shadow: true", "mode: enforce, shadow: false").replace("NAME", "malware")

    assert file.read_text() == one.replace("NAME", "first") + changed


def test_without_a_record_it_says_so_and_gives_no_figure(firebreak: Told, tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").write_text(lines(*RECORDS[6:]))
    folder = policies_in(tmp_path / "policies", COMMENTED)
    answer = firebreak("policy", "promote", "malware", str(tmp_path / "history.jsonl"), "--policies", folder)

    assert "has decided nothing yet, in shadow or in force: nothing is known of it" in answer.out
    assert "1 incident looked at" in answer.out
    assert "right" not in answer.out
    assert "-shadow: true" in answer.out


def test_a_policy_in_force_is_raised_by_one_mode_on_what_it_did_decide(promote: Told, tmp_path: Path) -> None:
    (tmp_path / "policies" / "10.yaml").write_text(POLICY.replace("mode: enforce\nwhen", "mode: monitor\nwhen"))
    decided = recorded(1, decision={"policy": "malware", "mode": "monitor"}, closed_as="benign")
    (tmp_path / "history.jsonl").write_text(lines(decided))
    shown = promote("--json").json

    assert (shown["mode"], shown["to"], shown["shadow"]) == ("monitor", "approve", False)
    assert (shown["fired"], shown["in_force"], shown["wrong"]) == (1, 1, 1)
    assert shown["differs"]["count"] == 0


@pytest.mark.parametrize(
    ("mode", "words", "code", "said"),
    [
        ("enforce", (), 1, "in mode enforce already"),
        ("approve", ("--to", "monitor"), 2, "is not above it"),
    ],
)
def test_what_is_no_promotion_is_said(
    promote: Told, tmp_path: Path, mode: str, words: tuple[str, ...], code: int, said: str
) -> None:
    (tmp_path / "policies" / "10.yaml").write_text(POLICY.replace("mode: enforce\nwhen", f"mode: {mode}\nwhen"))
    answer = promote(*words)

    assert (answer.code, said in answer.err) == (code, True)


def test_a_misspelt_policy_is_answered_with_the_nearest(firebreak: Told, tmp_path: Path) -> None:
    answer = firebreak("policy", "promote", "malwer", "--policies", policies_in(tmp_path / "policies"))

    assert (answer.code, "did you mean malware?" in answer.err) == (2, True)


def test_what_else_holds_it_back_and_whom_it_leaves_nothing_is_said(promote: Told, tmp_path: Path) -> None:
    below = POLICY.replace("id: malware", "id: below")
    (tmp_path / "policies" / "20.yaml").write_text(below)
    (tmp_path / "policies" / "firebreak.yaml").write_text(CONFIG.replace("ceiling: enforce", "ceiling: approve"))
    _, *caveats = promote("--json").json["caveats"]

    assert len(caveats) == 2
    assert caveats[0].startswith("`below` never decides")
    assert caveats[1] == "the ceiling in firebreak.yaml is approve, which still holds it back"


@pytest.mark.parametrize("words", [(), ("--write",)])
def test_an_example_that_the_edit_makes_fail_is_named(promote: Told, words: tuple[str, ...]) -> None:
    """Else who takes the edit has a set that cannot be packed, and learns it from somebody else."""
    said = promote("--to", "approve", *words).out

    assert "but example 1 of `malware` expects enforce" in said
    assert "and approve with pin_previous_revision came out" in said
    assert "example 1" not in promote("--to", "enforce").out


def test_nothing_of_a_history_is_shown_that_is_secret_or_acts_on_a_terminal(promote: Told, tmp_path: Path) -> None:
    token = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"  # noqa: S105 - made up, and never shown
    leaking = shadowed(1, "approve", decided=(f"\x1b[31m {token}", token), closed_as=token, service=token)
    (tmp_path / "history.jsonl").write_text(lines(leaking | {"id": f"fb-{token}", "created": token}))
    shown = promote().out + promote("--json").out

    assert '"fired": 1' in shown
    assert token not in shown
    assert "\x1b" not in shown
