"""Every broken or odd message is answered, recorded or dead-lettered, and only the right ones contain anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from firebreak.core.errors import Malformed
from tests.faults.messages import cases
from tests.response.harness import ALWAYS, Line, Lines

CASES = list(cases())


def test_the_corpus_is_large() -> None:
    """At least eighty kinds of trouble, each named once."""
    assert len({name for name, _, _ in CASES}) == len(CASES)
    assert len(CASES) >= 80


@pytest.mark.parametrize(("make", "expected"), [pytest.param(*one[1:], id=one[0]) for one in CASES])
def test_each_message_gets_its_answer(make: Callable[[Line], bytes], expected: str, tmp_path: Path) -> None:
    """Nothing is written but by a containment, and nothing is contained but what SCC holds of this service."""
    with Lines(tmp_path)(policy=ALWAYS) as line:
        body = make(line)
        if expected == "dead":
            with pytest.raises(Malformed, match=r"^[^{}\x00-\x1f]{10,200}$"):
                line.respond(body)
        else:
            incident = line.respond(body)

            assert incident.phase == expected
            assert incident.history[-1].what
            assert line.announced[-1]["phase"] == expected
        assert len(line.updates) == (1 if expected == "contained" else 0)
