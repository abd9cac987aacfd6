"""A person with a laptop and the output of Terraform answers a question in the three commands that the page shows."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import pytest

from firebreak.core.incidents.command import Command, parse_command
from firebreak.response import pipeline
from sandbox.administration.deployment import deploy, output
from sandbox.wire import Call
from tests.cli.commands import Terminal, Told
from tests.doctor.deployed import PACKAGE
from tests.repository.checkout import text_of
from tests.response.harness import BAD, TOPIC, Line, Lines, world_of

UNKNOWN_FILE = "ab" * 32
BLOCK = re.compile(r"## Answer a question from your own machine\n.*?```\n(.*?)```", re.DOTALL)


def the_function_answers(on: Line, topic: str) -> list[Command]:
    """What is published on the commands topic is carried out, as the deployed function would; the commands."""
    carried_out: list[Command] = []

    def carry_out(call: Call) -> None:
        if call.request.topic == topic:
            for message in call.request.messages:
                carried_out.append(parse_command(bytes(message.data), "1", on.app.now_ns()))
                pipeline.execute(on.app, carried_out[-1])

    on.sandbox.wire.watch("google.pubsub.v1.Publisher/Publish", carry_out)
    return carried_out


def test_a_question_is_answered_in_three_commands(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = BLOCK.search(text_of("docs/operations.md"))
    assert page
    configure, listed, approve = page[1].splitlines()
    world, told = world_of(), output(PACKAGE, {"FIREBREAK_LEDGER": f"sqlite:///{tmp_path / 'ledger.sqlite'}"})
    deploy(world, told)
    world.topics[TOPIC] = []
    with Lines(tmp_path)(world) as on:
        carried_out = the_function_answers(on, told["deployment"]["topics"]["commands"])
        incident = on.respond(on.finding(sha256=UNKNOWN_FILE))
        for name, value in on.sandbox.environment().items():
            monkeypatch.setenv(name, value)

        printed, _, typed = configure.partition(" | ")
        monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(told)))
        first = firebreak(*typed.split()[1:])
        second = firebreak(*listed.split()[1:])
        monkeypatch.setattr(sys, "stdin", Terminal("yes\n"))
        third = firebreak(*approve.replace("ID", incident.id).split()[1:])

        assert printed == "terraform -chdir=../firebreak-deployment output -json firebreak"
        assert (first.code, first.err) == (0, ""), first.out
        assert incident.id in second.out
        assert (third.code, on.read(incident).phase) == (0, "contained"), third.err
        assert [one.verb for one in carried_out] == ["approve"]
        assert BAD not in on.reachable
