"""docs/notifications.md is true: its table loads, its code verifies what is sent, its pictures are of every kind."""

from __future__ import annotations

import re
import time
from typing import Any

from firebreak.core.channels import channel, kinds
from firebreak.core.messages.composing import compose
from firebreak.core.messages.delivery import Address
from tests.core.message_kinds import KINDS
from tests.policy_language.test_policies import SMALL, load
from tests.repository.checkout import text_of

PAGE = text_of("docs/notifications.md")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_its_table_loads_and_has_every_kind_of_channel() -> None:
    config = load(firebreak=f'organization: "1"\n{block("yaml")}', small=SMALL).config

    assert {one.kind for one in config.routing.channels.values()} == set(kinds())
    assert [one for one in kinds() if f"| `{one}` |" not in PAGE] == []


def test_its_code_takes_what_is_sent_and_nothing_that_was_changed_or_is_old() -> None:
    code: dict[str, Any] = {}
    exec(block("python"), code)  # noqa: S102 - the page's own
    to = Address("a-key", url="https://siem.example/firebreak", at_s=int(time.time()))
    (sent,) = channel("webhook").requests(compose(KINDS["asked"], "fb-1/1/siem"), to)
    (old,) = channel("webhook").requests(
        compose(KINDS["asked"], "fb-1/1/siem"), Address("a-key", url="https://x", at_s=1)
    )

    assert code["genuine"]("a-key", sent.headers, sent.body)
    assert not code["genuine"]("another", sent.headers, sent.body)
    assert not code["genuine"]("a-key", sent.headers, sent.body + b" ")
    assert not code["genuine"]("a-key", old.headers, old.body)


def test_it_shows_every_kind_of_message() -> None:
    assert [name for name in KINDS if f"pictures/slack-{name.replace(' ', '-')}.svg" not in PAGE] == []
