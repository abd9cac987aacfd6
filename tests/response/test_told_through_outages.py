"""What was sent is told once, though the ledger fails for a moment; after an outage people are told once how it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from firebreak.core.errors import Transient
from firebreak.core.messages.delivery import Request
from firebreak.ledger.documents import Document, Save
from firebreak.ports.deadline import Deadline
from tests.adapters.servers import Received, serving
from tests.response.deployments import APPROVED
from tests.response.harness import ALWAYS, Line, Lines
from tests.response.test_channels import ASKS, on_channels
from tests.response.test_channels import told as counts


@pytest.fixture
def chat() -> Iterator[Received]:
    with serving() as asked:
        yield asked


class FailsOnce:
    """A ledger that fails at the first save after something was sent."""

    def __init__(self, on: Line, *, saves: bool) -> None:
        self._documents, self._on, self.failed = on.app.ledger.documents, on, False
        self._saves = saves
        on.app = replace(on.app, ledger=replace(on.app.ledger, documents=self))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._documents, name)

    def commit(self, writes: Sequence[Save]) -> list[Document]:
        if not self.failed and any(one.get("announcement") for one in self._on.logged):
            self.failed = True
            if self._saves:
                self._documents.commit(writes)
            message = "the ledger is away for a moment"
            raise Transient(message)
        return list(self._documents.commit(writes))


@pytest.mark.parametrize("saves", [False, True], ids=["nothing is saved", "the answer is lost"])
def test_a_save_that_fails_between_the_channels_doubles_none(line: Lines, chat: Received, *, saves: bool) -> None:
    webhooks: dict[str, Any] = {
        "FIREBREAK_SLACK_WEBHOOK": f"{chat.origin}/slack",
        "FIREBREAK_CHAT_WEBHOOK": f"{chat.origin}/chat",
    }
    with line(policy=ALWAYS, FIREBREAK_SCC_MARKS="on", **webhooks) as on:
        ledger, pair = FailsOnce(on, saves=saves), on.finding()
        on.respond(pair)
        on.respond(pair)

        assert ledger.failed
        assert Counter(path for _, path in chat.came) == {"/slack": 1, "/chat": 1}
        assert len(on.announced) == len(on.sandbox.wire.calls_to("*/UpdateSecurityMarks")) == 1
        assert len([one for one in on.logged if one.get("announcement")]) == 1


def test_of_all_that_a_chat_missed_while_it_was_away_it_is_told_how_things_are(line: Lines, chat: Received) -> None:
    """A message says how things are when it is sent: each of the others would say the same."""
    with line(policy=APPROVED, FIREBREAK_SLACK_WEBHOOK=f"{chat.origin}/slack") as on:
        chat.status = 503
        incident = on.respond(on.finding())
        on.approve(incident)
        on.release(incident)
        chat.status, missed = 200, len(chat.came)
        on.wait(4000)
        on.sweep()

        assert missed == 3
        assert len(chat.came) - missed == 1
        assert "RELEASED" in str(chat.bodies[-1])
        assert on.read(incident).unsent == 0


def test_a_question_is_not_put_once_more_behind_its_reminder(line: Lines) -> None:
    with on_channels(line, ASKS, "  routes: {default: [team]}\n  remind_after: 10m") as (on, state):
        whole, on.app = on.app, replace(on.app, post=_away)
        incident = on.respond(on.finding())
        for _ in range(3):
            on.wait(190)
            on.sweep()
        on.app = replace(on.app, post=whole.post)
        for _ in range(3):
            on.wait(190)
            on.sweep()

        assert on.read(incident).phase == "waiting"
        assert counts(state) == {"team": 1}
        assert "STILL NO ANSWER" in str(state.slack_webhook)


def test_programs_miss_nothing(line: Lines) -> None:
    """They count what comes, and each record has its number."""
    with on_channels(line, ASKS, "  routes: {default: [team, siem]}") as (on, state):
        whole, on.app = on.app, replace(on.app, post=_away)
        incident = on.respond(on.finding())
        on.approve(incident)
        on.app = replace(on.app, post=whole.post)
        on.wait(100)
        on.sweep()

        assert counts(state) == {"team": 1, "siem": 2}


def _away(request: Request, deadline: Deadline) -> bytes:  # noqa: ARG001 - as a channel is posted to
    message = "it is away"
    raise Transient(message)
