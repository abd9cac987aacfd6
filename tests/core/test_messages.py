"""What chat says: each setting of a release, what is waited for, and what to type next."""

from __future__ import annotations

from dataclasses import replace

import pytest

from firebreak.core.cloud_run.target import Target
from firebreak.core.incidents.incident import Incident, Wait
from firebreak.core.incidents.release import Release, ReleasedKey, Restored
from firebreak.core.messages.composing import compose
from firebreak.core.messages.plain_text import plain_text
from tests.cli.commands import NOW, incident

SPLIT, PUBLIC = "service.traffic.split", "service_iam.roles/run.invoker||allUsers"


def key(name: str, result: Restored, detail: str = "", *, elsewhere: bool = False) -> ReleasedKey:
    own = incident().finding.target
    assert isinstance(own, Target)
    target = own.in_region("us-east1") if elsewhere else own
    return ReleasedKey(target, name, "checkout-00007-good=100", "LATEST=100", result, detail)


def chat(one: Incident) -> str:
    return plain_text(compose(one))


def test_of_a_release_each_setting_is_told_with_what_is_so_now() -> None:
    keys = (
        key(SPLIT, "restored", "restored to LATEST=100"),
        key(PUBLIC, "refused", "an organization policy refuses it"),
        key("service.ingress", "person", "a person changed it, and it is left as it is"),
        key(SPLIT, "gone", "checkout-00008-bad does not exist any more", elsewhere=True),
    )
    lines = chat(incident("releasing", release=Release("ada", (), NOW, keys))).split("\n")

    assert f"↩ undone: {SPLIT}: restored to LATEST=100" in lines
    assert f"! still held: {PUBLIC}: refused, still checkout-00007-good=100: an organization policy refuses it" in lines
    assert "= left alone: service.ingress: a person's, left as it is: checkout-00007-good=100" in lines
    assert any(
        line.startswith("∅ gone: ") and line.endswith(f"{SPLIT}: gone: checkout-00008-bad does not exist any more")
        for line in lines
    )
    assert any(line.startswith("again: firebreak incident release fb-") for line in lines)
    assert any(
        line.startswith("leave: firebreak incident release fb-") and f"--leave '{PUBLIC}'" in line for line in lines
    )


def test_what_waits_says_for_what_and_since_when_and_how_to_hurry_it() -> None:
    text = chat(incident("deferred", waits=Wait("halt", "halted by ada: a drill", NOW)))

    assert "waits for: halted by ada: a drill (since 2026-09-21 " in text
    assert "lift: firebreak resume" in text
    assert text.index("lift: ") < text.index("anew: firebreak incident retry fb-")  # which helps once it is lifted


def test_what_a_closed_incident_was_closed_as_is_in_the_headline_and_in_what_is_so_now() -> None:
    message = compose(incident("closed", closed_as="false_positive"))

    assert message.title.startswith("CLOSED AS FALSE POSITIVE: ")
    assert "losed by a person as false positive" in message.now or "closed it as false positive" in message.now
    assert compose(incident("closed")).title.startswith("CLOSED: ")


@pytest.mark.parametrize("phase", ["rejected", "monitored", "declined", "expired", "failed", "deferred"])
def test_where_nothing_more_comes_by_itself_it_says_how_to_have_it_decided_anew(phase: str) -> None:
    assert "anew: firebreak incident retry fb-" in chat(incident(phase))


@pytest.mark.parametrize("phase", ["released", "closed", "contained", "waiting", "verifying"])
def test_elsewhere_it_does_not(phase: str) -> None:
    assert "retry" not in chat(incident(phase))


def test_a_question_is_asked_by_its_own_digest() -> None:
    one = incident("waiting")
    assert one.question is not None
    asked = replace(one, question=replace(one.question, digest="ab" * 32))

    assert f"yes: firebreak incident approve {one.id} --digest abababababab\n" in chat(asked)
