"""What was decided about an incident, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from firebreak.core.mode import Cap, Mode
from firebreak.core.storage_names import Stored


@dataclass(frozen=True, slots=True)
class Shadowed(Stored):
    """What would have been decided with one policy in force that is in shadow, as far as its guards are known.

    Attributes:
        policy: name of the policy.
        truth: `true` where it matches, `unknown` where it may.
        by: name of the policy that would have decided: another one where that stands above it.
        wanted: the mode that the policies would have asked for.
        mode: the mode that the guards would have left.
        caps: names of the guards with a reason for a lower mode.
        actions: names of the actions that would have been carried out, or asked about; of the policy's steps where what
            they edit was not read.
        fault: what kept this from being told; empty where nothing did.
    """

    policy: str
    truth: str
    by: str
    wanted: Mode
    mode: Mode
    caps: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Decision(Stored):
    """The mode, the policies and the guards' reasons that led to it, and the suspects.

    Attributes:
        policy: name of the policy that matched; None if none did.
        mode: the mode that the guards left.
        wanted: the mode that the policies asked for.
        caps: every guard's reason for a lower mode, bars first.
        trace: how each policy was evaluated; JSON.
        reasons: the policies' own reasons.
        policy_set: digest of the policies that decided.
        version: version of Firebreak that decided.
        notify: channels to announce the incident on.
        suspects: short names of the suspect revisions or executions.
        suspects_because: why they are suspect, as a sentence.
        related_revisions: revisions that related findings name.
        gaps: names of the sources that gave no answer.
        age_ns: how old the newest event was when it was first seen, or when it was decided anew after waiting.
        shadow: what the policies in shadow that match, or may, would have made of it. Nothing follows from it.
    """

    policy: str | None
    mode: Mode
    wanted: Mode
    caps: tuple[Cap, ...]
    trace: tuple[Mapping[str, Any], ...]
    reasons: tuple[str, ...]
    policy_set: str
    version: str
    notify: tuple[str, ...] = ()
    suspects: tuple[str, ...] = ()
    suspects_because: str = ""
    related_revisions: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    age_ns: int = 0
    shadow: tuple[Shadowed, ...] = ()

    @property
    def because(self) -> str:
        """Why no more is done, in one line: the guards' reasons, and the policies' own where these ask already.

        A ceiling that leaves what the policies wanted anyway is no reason.
        """
        guards = [cap.reason for cap in self.caps if cap.name != "ceiling" or cap.mode < self.wanted]
        own = self.reasons if self.wanted is Mode.APPROVE or not guards else ()
        return "; ".join((*own, *guards))
