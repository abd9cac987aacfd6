"""Grants of an IAM policy as settings: a key for each role, condition and member; the condition itself is the value."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from firebreak.core.cloud_run.state import Setting, State, surface_of

PUBLIC = frozenset({"allUsers", "allAuthenticatedUsers"})
# Predefined roles that carry neither run.routes.invoke nor run.jobs.run; a custom role may, so an unknown one counts.
_HARMLESS = frozenset({"roles/run.viewer", "roles/run.builder", "roles/viewer", "roles/browser"})
_UNSAFE = re.compile(r"[^A-Za-z0-9 ._-]")
_LONGEST_TITLE = 40


@dataclass(frozen=True, slots=True)
class Grant:
    """One member's grant. `condition` is canonical JSON, empty where there is none.

    `region` is set for a further region of a multi-region service, which has a policy of its own there.
    """

    role: str
    member: str
    condition: str = ""
    title: str = ""
    region: str = ""

    @property
    def value(self) -> Setting:
        """What stands under the key: the condition, so that the grant can be given back exactly."""
        return self.condition or True

    def key(self, surface: str) -> str:
        """`service_iam.ROLE|CONDITION|MEMBER`, the condition by its title and a mark that tells equal titles apart."""
        mark = hashlib.sha256(self.condition.encode()).hexdigest()[:8]
        condition = f"{_UNSAFE.sub('_', self.title)[:_LONGEST_TITLE]}#{mark}" if self.condition else ""
        return "|".join([f"{surface}.{self.role}", condition, self.member, *([self.region] if self.region else ())])


def may_reach(role: str) -> bool:
    """Whether a holder of the role may be able to send requests to a service, or to run a job."""
    return role not in _HARMLESS


def region_of(key: str) -> str:
    """The further region whose policy a grant belongs to, empty for the target's own."""
    return read_grant(key, value="").region


def read_grant(key: str, value: Setting) -> Grant:
    """The grant that a setting stands for."""
    role, condition, member, *region = key.partition(".")[2].split("|")
    text = value if isinstance(value, str) else ""
    return Grant(role, member, text, condition.rpartition("#")[0], region[0] if region else "")


def grants_of(state: State, surface: str) -> Iterator[tuple[str, Grant]]:
    """Every grant among the settings of that surface, with its key."""
    return ((key, read_grant(key, value)) for key, value in state.items() if surface_of(key) == surface)
