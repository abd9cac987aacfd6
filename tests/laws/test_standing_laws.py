"""Incidents come to stand on one service and are released in any order, while a person edits it in between.

A model of the service stands for the cloud: what is written is what it is. Whatever happens in whatever order, with the
last hold gone, what Firebreak wrote is gone too, and what the person set last stands.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import responders
from firebreak.core.actions.action import Refusal
from firebreak.core.actions.case import EditContext
from firebreak.core.actions.suspects import Suspicion
from firebreak.core.cloud_run.setting_names import DEFAULT_URI_DISABLED, INGRESS, SPLIT, TAG
from firebreak.core.cloud_run.state import State
from firebreak.core.cloud_run.workload import references
from firebreak.core.containment.active_containment import Hold, Standing
from firebreak.core.containment.drafting import draft
from firebreak.core.containment.restoration import required_state
from firebreak.core.policy.policy import Step
from tests.laws.worlds_of_settings import INGRESSES, TARGET, given_back, situations

ACTIONS = {name: one for name, one in responders.discover().items() if name in ("pin_previous_revision", "cut_traffic")}
KEYS = (SPLIT, INGRESS, DEFAULT_URI_DISABLED, f"{TAG}canary")


class OneService(RuleBasedStateMachine):
    """`theirs` is what would stand if Firebreak had never been there."""

    @initialize(situation=situations())
    def begin(self, situation: tuple[State, EditContext]) -> None:
        self.now, self.case = dict(situation[0]), situation[1]
        self.theirs = dict(self.now)
        self.standing = Standing(TARGET.key)
        self.taken = 0
        self.touched: set[str] = set()

    def _seen(self, suspects: frozenset[str]) -> EditContext:
        """The case as it would be drawn now."""
        uses = references(self.now, self.case.latest)
        reachable = frozenset(name for name, use in uses.items() if use.percent or use.tags)
        suspicion = Suspicion("named", suspects | self.standing.suspects, "drawn")
        return replace(self.case, suspicion=suspicion, reachable=reachable)

    @rule(data=st.data(), written=st.sampled_from(["verified", "lost"]))
    @precondition(lambda self: self.taken < 3)
    def contain(self, data: Any, written: str) -> None:
        """An incident draws its plan on what stands now; the write happens and is seen, or never happens."""
        name = data.draw(st.sampled_from(sorted(ACTIONS)))
        suspects = frozenset(data.draw(st.sets(st.sampled_from([one.name for one in self.case.revisions]), min_size=1)))
        plan = draft((Step(name, ACTIONS[name].params()),), self.now, self._seen(suspects), ACTIONS)
        if not plan.changes:
            return
        self.taken += 1
        hold = Hold(f"fb-{self.taken}", plan.steps, suspects, self.taken)
        after = {**self.now, **{key: value for one in plan.changes for key, value in one.after.items()}}
        settings_after = {key: value for key, value in after.items() if value is not None}
        self.standing = self.standing.with_pending_write(hold, self.now, settings_after, self.taken)
        if written == "lost":
            wished = {key for one in plan.changes for key in one.after}
            pending = {key: value for key, value in self.standing.pending.items() if key not in wished}
            self.standing = replace(self.standing.without_hold(hold.incident), pending=pending)
            return
        self.now = settings_after
        self.standing = self.standing.with_confirmed_write(self.now, self.taken, self.taken)

    @rule(key=st.sampled_from((*KEYS, INGRESS, DEFAULT_URI_DISABLED)), data=st.data())
    def edit(self, key: str, data: Any) -> None:
        """A person sets something; from then on it is theirs, unless it is just what Firebreak wrote: none can tell."""
        names = [one.name for one in self.case.revisions]
        values: dict[str, st.SearchStrategy[Any]] = {
            SPLIT: st.sampled_from([f"{name}=100" for name in names]),
            INGRESS: st.sampled_from(INGRESSES),
            DEFAULT_URI_DISABLED: st.booleans(),
            f"{TAG}canary": st.sampled_from(names),
        }
        value = data.draw(values[key])
        if value == self.now.get(key):
            return
        self.now[key] = value
        self.touched.add(key)
        if not self.standing.holds or not self.standing.is_as_written(key, value):
            self.theirs[key] = value
        elif key in self.standing.origin:
            self.theirs[key] = self.standing.origin[key]
        else:
            self.theirs.pop(key, None)

    @rule(data=st.data())
    @precondition(lambda self: self.standing.holds)
    def release(self, data: Any) -> None:
        """One of the holds, whichever, is released, unless what the others hold could not be kept."""
        self._release(data.draw(st.sampled_from([hold.incident for hold in self.standing.holds])))

    def teardown(self) -> None:
        """In the end everything is released, the newest first; refusals end with the hold that they protect."""
        for _ in range(2):
            for hold in reversed(getattr(self, "standing", Standing("")).holds):
                self._release(hold.incident)
        self.with_nothing_standing_the_service_is_as_people_left_it()

    def _release(self, incident: str) -> None:
        rest = self.standing.without_hold(incident)
        wanted = required_state(rest, self._seen(frozenset()), ACTIONS)
        if isinstance(wanted, Refusal):
            return
        then, _ = given_back(self.now, self.standing, wanted, self._seen(frozenset()))
        back = {key: then.get(key) for key in self.now.keys() | then.keys() if self.now.get(key) != then.get(key)}
        self.standing = self.standing.with_pending_release(incident, back, self.taken)
        self.now = dict(then)
        self.standing = self.standing.with_released(incident, {key: then.get(key) for key in back}, self.taken)
        self.standing = self.standing.with_finished_release(incident)

    @invariant()
    def with_nothing_standing_the_service_is_as_people_left_it(self) -> None:
        if hasattr(self, "standing") and not self.standing.holds:
            assert self.now == self.theirs

    @invariant()
    def what_nobody_touched_has_not_drifted(self) -> None:
        if hasattr(self, "standing") and self.standing.holds:
            assert self.standing.changed_by_others(self.now).keys() <= self.touched


TestOneService = OneService.TestCase
TestOneService.settings = settings(max_examples=300, stateful_step_count=12, deadline=None, derandomize=True)
