"""What `make readme` makes of a page that its reader types along with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.walkthrough import Differs, Run, Write, follow, steps_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")


def console(*lines: str) -> str:
    return "\n".join(("```console", *lines, "```", ""))


def followed(text: str, folder: Path) -> list[str]:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    return list(follow(page, folder))


def test_nothing_that_the_page_on_policies_shows_is_left_untried() -> None:
    steps = steps_of(PAGE)
    typed = [step.command for step in steps if isinstance(step, Run)]
    written = [step.path for step in steps if isinstance(step, Write)]

    assert PAGE.count("\n```console\n") + PAGE.count("\n```yaml\n") == PAGE.count("\n```\n")
    assert {"explain", "facts", "actions", "schema", "lint", "test"} <= {word for one in typed for word in one.split()}
    assert {"sweep", "approve", "release", "halt", "resume", "evidence"} <= {
        word for one in typed for word in one.split()
    }
    assert {"policies/05-shop.yaml", "policies/firebreak.yaml"} <= set(written)


def test_files_are_written_and_commands_run_in_one_shell(tmp_path: Path) -> None:
    page = "Write `a/b.yaml`:\n\n```yaml\nx: 1\n```\n\nat the end of `a/b.yaml`:\n\n```yaml\ny: 2\n```\n"
    page += console("$ cd a && export Z=3", "$ cat b.yaml; echo $Z", "x: 1", "y: 2", "3", "$ false", "$ echo $?", "1")

    assert len(followed(page, tmp_path)) == 6


@pytest.mark.parametrize(
    "said", ["12:00:01    +8.4 s  ada: x", "23:59:59  +2 min  ada: x", "12:00:01   +11.2 s  ada: x"]
)
def test_times_and_durations_may_be_others(tmp_path: Path, said: str) -> None:
    assert len(followed(console(f"$ echo '{said}'", "13:07:35    +0.0 s  ada: x"), tmp_path)) == 1


def test_ids_of_the_page_become_those_of_the_reader(tmp_path: Path) -> None:
    page = console(
        "$ echo fb-1111111111111111, 3 s ago, seen",
        "fb-0000000000000000,   12 min ago, …",
        "$ echo it is fb-0000000000000000",
        "it is fb-0000000000000000",
    )

    assert len(followed(page, tmp_path)) == 2


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("$ echo a", "b"), "the page shows\n  b\nand it printed\n  a"),
        (("$ echo a; echo b", "a"), "printed more than the page shows:\n  b"),
        (("$ echo a", "a", "b"), "the page shows\n  b"),
        (("$ echo b; echo a", "…", "a", "b"), "the page shows\n  b"),
        (("$ false",), "exit 1 of `false`"),
        (("$ exit 3",), "the shell ended at `exit 3`"),
        (
            ("$ echo fb-1111111111111111 fb-2222222222222222", "fb-0000000000000000 fb-0000000000000000"),
            "and it printed",
        ),
        (("echo a",), "a console begins with a command"),
    ],
)
def test_a_page_that_says_what_is_not_so_is_found_out(tmp_path: Path, lines: tuple[str, ...], said: str) -> None:
    with pytest.raises(Differs) as difference:
        followed(console(*lines), tmp_path)
    assert said in str(difference.value)


@pytest.mark.parametrize("block", ["```bash\nls\n```\n", "no name\n\n```yaml\na: 1\n```\n", "```\nls\n```\n"])
def test_a_block_that_nobody_could_try_is_refused(block: str) -> None:
    with pytest.raises(Differs, match="neither a console nor a file"):
        steps_of(block)


def test_what_was_logged_below_the_home_is_told_with_the_difference(tmp_path: Path) -> None:
    with pytest.raises(Differs, match=r"exit 1 of `false`:\n\nthe end of a/b.log:\nit broke\Z"):
        followed(console("$ mkdir ~/a && echo it broke > ~/a/b.log", "$ false"), tmp_path)
