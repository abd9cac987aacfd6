"""What the machine draws from: the words of its rules, the likelier ones more than once."""

from __future__ import annotations

from typing import Any, Literal

from hypothesis import strategies as st

from tests.model.clock import HOUR, MINUTE, SECOND
from tests.model.people import EDITS_OF
from tests.model.scc import ASKED, ASKED_ELSE_CONTAINED, ENFORCED, IDENTITY, WATCHED
from tests.model.scenery import CART, CART_IN_US, CHECKOUT, INDEXER, NIGHTLY, OWN, PAY, SHARED
from tests.model.watch import DEPENDENCIES

Draw = st.SearchStrategy[Any]
Evidence = Literal["newest", "second", "oldest", "image of newest", "image of second", "unknown image", "nothing"]

WITH_TRAFFIC = (CHECKOUT, CHECKOUT, CHECKOUT, CART, CART, INDEXER, NIGHTLY)
FOUND: Draw = st.sampled_from((*WITH_TRAFFIC, CART_IN_US, PAY, OWN))
BEGUN: Draw = st.sampled_from(WITH_TRAFFIC)
EVIDENCE: Draw = st.sampled_from(
    (
        *("newest", "newest", "newest", "second", "oldest"),
        *("image of newest", "image of newest", "image of second", "unknown image", "nothing"),
    )
)
CATEGORY: Draw = st.sampled_from(
    (ENFORCED, ENFORCED, ENFORCED, ENFORCED, ASKED, ASKED_ELSE_CONTAINED, IDENTITY, WATCHED)
)
BEGINNING: Draw = st.sampled_from(("", ENFORCED, ENFORCED, ASKED, ASKED, ASKED_ELSE_CONTAINED, IDENTITY))
TRAFFIC: Draw = st.sampled_from(("", "", "halve", "share_with_oldest", "tag_newest"))
AGE: Draw = st.sampled_from((30 * SECOND, 30 * SECOND, 30 * SECOND, 10 * MINUTE, 2 * HOUR, 26 * HOUR))
PAUSE: Draw = st.sampled_from((60.0, 60.0, 660.0, 1860.0, 4200.0, 5 * 3600.0, 25 * 3600.0))
ASTRAY: Draw = st.sampled_from(("late", "late by number", "lost", "forged", "forged over a held one", "foreign"))
JUDGED: Draw = st.sampled_from(("mute", "unmute", "resolve", "reopen"))
EDITED = (CHECKOUT, CHECKOUT, CART, CART_IN_US, INDEXER, NIGHTLY, SHARED)
PLACE: Draw = st.sampled_from(EDITED)
EDIT: Draw = st.sampled_from([(place, one.__name__) for place in EDITED for one in EDITS_OF[place.split("/")[2]]])
ENDING: Draw = st.sampled_from(("well", "in an error", "in an error, and in effect"))
AWAY: Draw = st.sampled_from((*DEPENDENCIES, "SCC once"))
UNLUCKY: Draw = st.sampled_from(("die", "die", "lose", "lose", "halt", "edit", "edit"))
CHANGE: Draw = st.sampled_from(
    (
        *("ceiling monitor", "ceiling approve", "ceiling enforce", "ceiling enforce"),
        *("keys rotated", "keys dropped", "keys first"),
        *("without ingress none", "without public members"),
    )
)
TAMPERED: Draw = st.sampled_from(("put back", "put back", "delete", "change a word", "forge an answer"))
POINT: Draw = st.integers(1, 16)
ANY: Draw = st.integers(0, 7)
