"""What others change is told once for each difference; made undone and made again, it is another one."""

from __future__ import annotations

from tests.response.harness import BAD, GOOD, SERVICE, Line, Lines
from tests.response.releases import PIN, contained, phase, policy

TEN_MINUTES = 600.0
PINNED = {"revision": GOOD, "percent": 100}


def looked_at(on: Line) -> dict[str, int]:
    """What a sweep finds, ten minutes later."""
    on.wait(TEN_MINUTES)
    return dict(on.sweep().done)


def test_a_suspect_opened_again_after_it_was_closed_by_hand_is_asked_about_again(line: Lines) -> None:
    with line(policy=policy(PIN)) as on:
        incident = contained(on)
        asked = []
        for _ in range(3):
            on.world.set_traffic("checkout", PINNED, {"revision": BAD, "tag": "debug"})
            asked.append((looked_at(on).get("drift asked"), looked_at(on).get("drift asked"), phase(on, incident)))
            on.reject(incident, "we undo it by hand")
            on.world.set_traffic("checkout", PINNED)
            looked_at(on)

        assert asked == [(1, None, "waiting")] * 3


def test_the_record_names_no_suspect_that_was_closed_by_hand_as_open(line: Lines) -> None:
    with line(policy=policy(PIN)) as on:
        incident = contained(on)
        on.world.set_traffic("checkout", PINNED, {"revision": BAD, "tag": "debug"})
        looked_at(on)
        opened = on.shown(on.read(incident))["reopened"]
        on.reject(incident)
        on.world.set_traffic("checkout", PINNED)
        looked_at(on)

        assert opened == [BAD]
        assert on.shown(on.read(incident))["reopened"] == []


def test_a_harmless_change_that_was_undone_and_made_again_is_told_again_and_its_end_once(line: Lines) -> None:
    with line(policy=policy(PIN)) as on:
        contained(on)
        told = list[int | None]()
        for ingress in (3, 1, 3):
            on.world.edit(SERVICE, ingress=ingress)
            told += [looked_at(on).get("drift reported"), looked_at(on).get("drift reported")]

        assert told == [1, None, 1, None, 1, None]
