"""No surface contradicts another, or what serves: states that real runs come to, and every place that tells of them."""

from __future__ import annotations

import re

import pytest

from firebreak.core.incidents.asked import asked, until
from firebreak.core.incidents.setting_states import setting_states
from firebreak.core.incidents.so_now import in_effect, so_now
from tests.response.harness import Lines
from tests.surfaces.scenes import SCENES
from tests.surfaces.surfaces import SURFACES, Seen, lines_of, play

pytestmark = pytest.mark.thorough

UNTOUCHED = "as it was before"
CLOSED, OPENED = "no suspect can be reached", "a suspect can be reached"
CLAIMS = (
    (
        r"(Nothing (has been|was) changed|Recorded, and nothing|A person said no\. N|Nobody answered in time\. N)",
        UNTOUCHED,
    ),
    (r"Closed by a person( as [a-z ]+)?; nothing was changed", UNTOUCHED),
    (r"NOT CONTAINED\. ", UNTOUCHED),
    (r"What was contained before was taken back", UNTOUCHED),
    (r"Taken back: the containment no longer stands\.$", UNTOUCHED),
    (r"Taken back: .* Left as it is: ", "let go of"),
    (r"PARTLY TAKEN BACK: ", "held"),
    (r"WAS CONTAINED, ", OPENED),
    (r"(Contained|CONTAINED IN PART)\b(?! before)", CLOSED),
)


def is_so(seen: Seen) -> set[str]:
    """Which of the claims are true."""
    return {
        *([UNTOUCHED] if seen.settings == seen.before and not seen.held else []),
        CLOSED if seen.held and not seen.open_suspects else OPENED,
        "held" if seen.held else "let go of",
    }


def answers_to(seen: Seen, surface: str) -> dict[str, str]:
    """The eight questions of somebody who sees nothing else, and what answers them; a list leads to the others."""
    incident = seen.incident
    listed = {
        "what happened": "Execution: Added Malicious Binary Executed",
        "where": "checkout",
        "is anything changed": so_now(incident),
        "until when": until(incident).partition(" UTC")[0] if incident.phase == "waiting" else "",
    }
    if surface == "list":
        return listed
    ask = "asked of you: yes or no to pin_previous_revision" if surface == "show" else asked(incident)
    given_back = in_effect(incident) or incident.phase == "releasing"
    return {
        **listed,
        "to whom": "checkout-oncall@shop.example",
        "what is asked": ask if incident.phase == "waiting" else asked(incident),
        "what happens if nobody answers": until(incident).partition(". ")[2].partition(" If the policy")[0],
        "how to undo it": f"firebreak incident release {incident.id}" if given_back else "",
    }


@pytest.mark.parametrize("name", SCENES)
def test_no_surface_contradicts_another_or_what_serves(line: Lines, name: str) -> None:
    scene = SCENES[name]
    with line(scene.world(), policy=scene.policy, config=scene.config) as on:
        seen = play(on, scene)
    now = so_now(seen.incident)
    claims = {claim for said, claim in CLAIMS if re.match(said, now)}
    told = {surface: {*lines_of(text)} for surface, text in seen.surfaces.items() if surface != "list"}
    wrong = {
        surface: [one for one in lines_of(text) if seen.settings.get((one.place, one.key), "(not set)") != one.value]
        for surface, text in seen.surfaces.items()
    }

    unanswered = {
        surface: [question for question, answer in answers_to(seen, surface).items() if answer not in text]
        for surface, text in seen.surfaces.items()
    }
    heads = " ".join(seen.surfaces[surface].splitlines()[0] for surface in ("show", "text"))

    assert len(claims) == 1, f"what does it claim? {now}"
    assert claims <= is_so(seen), now
    assert "CONTAINED  " not in heads or CLOSED in is_so(seen), heads
    assert [surface for surface in SURFACES if now not in seen.surfaces[surface]] == []
    assert all(told[surface] == told["topic"] for surface in told), "they tell of different settings"
    assert len(told["topic"]) == len(setting_states(seen.incident))
    assert wrong == {surface: [] for surface in SURFACES}, "of a setting it says what is not so"
    assert unanswered == {surface: [] for surface in SURFACES}, "who sees nothing else does not learn it"
    lines = [line for line in seen.surfaces["topic"].splitlines() if line.startswith("gcloud ")]
    there = seen.held and bool(told["topic"])
    assert bool(lines) == there or seen.incident.phase == "failed", "lines undo it where there is something to undo"


def test_it_is_contained_by_what_was_done_and_by_nothing_else(line: Lines) -> None:
    scene = SCENES["denied in part"]
    with line(scene.world(), policy=scene.policy) as on:
        incident = on.read(scene.run(on))

    assert incident.history[-1].what == "contained by pin_previous_revision"
