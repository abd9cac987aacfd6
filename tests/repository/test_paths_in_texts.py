"""A path or a link in a text leads somewhere: whoever moves a file or a heading corrects what points to it."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import PurePosixPath

import pytest

from tests.repository.checkout import ROOT, text_of, tracked

FILES = frozenset(tracked())
FOLDERS = frozenset(str(folder) for path in FILES for folder in PurePosixPath(path).parents)
ROOMS = frozenset(path.partition("/")[0] for path in FILES if "/" in path)
PAGES = sorted(path for path in FILES if path.endswith(".md"))
WITHOUT_PATHS = frozenset(
    {
        "CHANGELOG.md",  # names files by the names that they had
        "docs/guards.md",  # shows what the guards were given, and some of that looks like a path
        "tests/ledger/fixtures/README.md",  # describes each version's folder by the files that it may have
    }
)
SOURCES = sorted(
    path
    for path in FILES
    if path == "Makefile" or (path.endswith((".py", ".tf", ".toml", ".in")) and not path.startswith("tests/"))
)
ENDING = r"\.(?:py|md|tf|toml|json|ya?ml|in|txt)"
QUOTED = re.compile(r"`([\w.*-]+(?:/[\w.*-]+)*/?)`")
IN_TEXT = re.compile(rf"(?<![\w/$.:-])((?:{'|'.join(map(re.escape, sorted(ROOMS)))})/[\w./*-]*{ENDING})\b")
OF_THE_MODULE = re.compile(r"\$\{path\.module\}/([\w./-]+)")
OF_THE_READER = frozenset(
    {
        "deployment.json",  # on the reader's machine, once it is configured
        "firebreak/archive.json",  # in what is packed
        ".pre-commit-config.yaml",  # in the repository that holds the reader's policies
        ".github/",
        ".github/workflows/policies.yml",
        "09-first.yaml",  # a policy of an example
        "deny.json",  # docs/security.md: a file that the reader writes
        "policies/04-any-engine.yaml",  # docs/policies.md has its reader write these
        "policies/05-shop.yaml",
        "policies/06-draft.yaml",
        "wanted/firebreak.yaml",  # docs/backtest.md has its reader write this one
        "policies/compiled.json",  # made when the function is packaged, and only in its archive
        "policies/a.yaml",  # a file of an example in tools/walkthrough.py
        "tests/x.py",  # the example of one test in the Makefile
        "responders/shut_door.py",  # lint's example of an action whose code fails
    }
)


def looks_like_a_path(text: str) -> bool:
    """Whether it ends as a folder or a file does, or lies in a folder of ours."""
    in_a_room = "/" in text and text.partition("/")[0] in ROOMS
    return text.endswith("/") or bool(re.search(rf"{ENDING}$", text)) or in_a_room


def is_there(path: str, page: str) -> bool:
    """From the root or from the page's folder; a file's name alone may lie anywhere, and `*` is any text."""
    wanted = path.rstrip("/")
    nearby = str(PurePosixPath(page).parent / wanted)
    if {wanted, nearby} & (FILES | FOLDERS):
        return True
    if "/" not in path:
        return any(fnmatch(PurePosixPath(file).name, wanted) for file in FILES)
    return "*" in wanted and any(fnmatch(file, wanted) for file in FILES)


def missing(text: str, page: str) -> set[str]:
    """The paths in backticks, and those below a folder of ours anywhere in the text, that do not exist."""
    named = {one for one in QUOTED.findall(text) if looks_like_a_path(one)} | set(IN_TEXT.findall(text))
    return {one for one in named - OF_THE_READER if not is_there(one, page)}


def anchors(text: str) -> set[str]:
    """What a link can name of a page: its headings, without their signs."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(text: str, page: str) -> list[str]:
    """Links of a page to files or headings that do not exist."""
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, heading = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        if "://" in link or link.startswith("git::"):
            continue
        if not target.exists() or (heading and heading not in anchors(target.read_text(encoding="utf-8"))):
            broken.append(link)
    return broken


@pytest.mark.parametrize("page", sorted(set(PAGES) - WITHOUT_PATHS))
def test_every_path_that_a_page_names_exists(page: str) -> None:
    assert missing(text_of(page), page) == set()


@pytest.mark.parametrize("source", SOURCES)
def test_every_path_below_a_folder_of_ours_that_the_code_names_exists(source: str) -> None:
    paths = set(IN_TEXT.findall(text_of(source))) - OF_THE_READER

    assert {one for one in paths if not is_there(one, source)} == set()


@pytest.mark.parametrize("source", [path for path in SOURCES if path.endswith(".tf")])
def test_every_file_that_terraform_reads_exists(source: str) -> None:
    folder = (ROOT / source).parent

    assert [path for path in OF_THE_MODULE.findall(text_of(source)) if not (folder / path).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page: str) -> None:
    assert broken_links(text_of(page), page) == []


@pytest.mark.parametrize(
    "gone", ["`core/`", "`firebreak/core/plan.py`", "`tests/pipeline/`", "responders/pin.py", "`plan.tf`"]
)
def test_a_planted_path_that_does_not_exist_is_found(gone: str) -> None:
    assert missing(f"See {gone} and `main.py`.", "docs/design.md") == {gone.strip("`")}


@pytest.mark.parametrize("link", ["gone.md", "design.md#gone", "#gone"])
def test_a_planted_link_to_nowhere_is_found(link: str) -> None:
    assert broken_links(f"[a]({link}) [b](design.md#measured)", "docs/glossary.md") == [link]
