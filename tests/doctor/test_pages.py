"""What the pages say of checks and of roles is so."""

from __future__ import annotations

import re

from firebreak.doctor import discover
from tests.repository.checkout import text_of

ROW = re.compile(r"^\| (.+?) \| .+? \| (.+?) \|$", re.MULTILINE)
COMMAND = re.compile(r"\b(gcloud(?: [a-z-]+){2,3}|bq query|firebreak (?:incident|halt|resume|sweep|doctor))\b")
TYPED = re.compile(r"^```\w*\n(.*?)^```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)


def test_the_page_has_every_check_with_the_role_that_it_takes() -> None:
    found = discover()
    told = dict(ROW.findall(text_of("docs/doctor.md").partition("\n## Doctor\n")[2].partition("\n## ")[0]))

    assert found.broken == {}
    assert {about: role.replace("`", "") for about, role in told.items()} == {
        "subject": "role that it takes",
        **{one.about: one.role for one in found.working.values()},
    }


def test_every_command_of_the_runbook_has_its_role_beside_it() -> None:
    page = text_of("docs/operations.md")
    table = page.partition("\n## What the commands take\n")[2].partition("\n## ")[0]
    known = re.findall(r"[`*]((?:gcloud|bq|firebreak) [^`*]+)[`*]", table)
    typed = {command for one in TYPED.findall(page) for command in COMMAND.findall("\n".join(one))}
    of_this_machine = ("gcloud components install", "gcloud auth application-default")

    assert len(typed) > 10
    assert [one for one in sorted(typed) if not one.startswith((*known, *of_this_machine))] == []
