"""What the policy files say, as frozen values: policies, the config beside them, and both together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Literal

from firebreak.core.diagnostics import Location
from firebreak.core.facts import Facts
from firebreak.core.mode import Mode
from firebreak.core.policy.category_index import FactIndex, index_by
from firebreak.core.policy.condition import Condition
from firebreak.core.policy.protected import PlacedCeiling, Protected
from firebreak.core.policy.routing import Routing
from firebreak.core.policy.vocabulary import Sets

HOUR = 3600
_FEW = 30
CATEGORY = "finding.category"
CLASS = "finding.class"
OnExpiry = Literal["escalate", "contain"]


@dataclass(frozen=True, slots=True)
class Step:
    """One action with its own parameters (an instance of the action's `params`), and what takes its place."""

    action: str
    params: object
    otherwise: tuple[Step, ...] = ()
    accept_irreversible: bool = False
    at: Location = field(default=Location("", 1, 1), compare=False)


@dataclass(frozen=True, slots=True)
class Expected:
    """What an example says comes out: the mode, and the actions where it names them. None stands for `nothing`."""

    mode: Mode
    actions: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Example:
    """One line of a policy's own test: facts given, sources unknown, and what should come of it.

    `finding` is the path of a whole finding, from the folder of the policy's file.
    """

    given: Facts
    unknown: frozenset[str]
    expect: Expected | None
    at: Location
    finding: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy; every duration is in seconds, and `release_after` None means that only a person releases.

    With `shadow` it decides nothing: what it would have decided is put on record beside what decides. `places` says
    where in its file the value of each key stands.
    """

    id: str
    description: str
    mode: Mode
    when: Condition
    then: tuple[Step, ...]
    at: Location
    review_after: int = 4 * HOUR
    release_after: int | None = None
    approve_within: int = HOUR // 2
    on_expiry: OnExpiry = "escalate"
    notify: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    shadow: bool = False
    places: Mapping[str, Location] = field(default_factory=dict, repr=False, compare=False)

    @property
    def actions(self) -> tuple[str, ...]:
        """The names of the steps' actions, in order, without what stands behind `otherwise`."""
        return tuple(step.action for step in self.then)


@dataclass(frozen=True, slots=True)
class Limits:
    """Blast radius: how many targets may be contained without a person in one hour."""

    per_project_per_hour: int = 5
    per_hour: int = 20


@dataclass(frozen=True, slots=True)
class Drill:
    """Where `firebreak drill` may rehearse: the SCC source of its findings, and the projects of its canaries."""

    source: str
    projects: frozenset[str]


@dataclass(frozen=True, slots=True)
class Config:
    """`firebreak.yaml`: what Firebreak may do at all. The defaults are those of a file that is not there.

    `sources` are the SCC source ids whose findings may lead to more than monitoring; `drill` None means that there is
    none; `ceilings` hold at places, beside `ceiling`, which holds everywhere; `stale_after` is in seconds; `sets` are
    lists of texts that policies name; `routing` says who is told, and decides nothing; `places` says where keys stand,
    as `limits.per_hour`.
    """

    organization: str | None = None
    sources: frozenset[str] = frozenset()
    ceiling: Mode = Mode.MONITOR
    protected: tuple[Protected, ...] = ()
    limits: Limits = field(default_factory=Limits)
    stale_after: int = HOUR
    sets: Sets = field(default_factory=lambda: MappingProxyType({}))
    routing: Routing = field(default_factory=Routing)
    places: Mapping[str, Location] = field(default_factory=dict, repr=False, compare=False)
    drill: Drill | None = None
    ceilings: tuple[PlacedCeiling, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicySet:
    """Every policy in the order they are tried, the config, and the SHA-256 of what they decide, as hex digits.

    The digest does not change with comments, key order, layout, defaults spelt out, or examples.
    """

    policies: tuple[Policy, ...]
    config: Config
    digest: str
    deciding: tuple[Policy, ...] = field(init=False, repr=False, compare=False)
    shadowed: bool = field(init=False, repr=False, compare=False)
    _index: FactIndex = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Look once at which policies decide, whether others are in shadow, and which categories each names."""
        object.__setattr__(self, "deciding", tuple(one for one in self.policies if not one.shadow))
        object.__setattr__(self, "shadowed", len(self.deciding) < len(self.policies))
        object.__setattr__(self, "_index", index_by(CATEGORY, [policy.when for policy in self.policies]))

    def names(self, category: str) -> bool:
        """Whether some policy that decides names this very category."""
        return any(not one.shadow for one in self.naming(category))

    def naming(self, category: str) -> tuple[Policy, ...]:
        """The policies that name this very category, in order, also those in shadow."""
        return tuple(map(self.policies.__getitem__, self._index.named.get(category, ())))

    def open_to(self, facts: Facts) -> tuple[Policy, ...]:
        """The policies that the finding's category does not rule out by itself, in order, also those in shadow."""
        category = facts.get(CATEGORY)
        if not isinstance(category, str):
            return self.policies
        return tuple(map(self.policies.__getitem__, self._index.open_for(category)))

    def about(self, facts: Facts) -> tuple[Policy, ...]:
        """Those of them that decide."""
        return tuple(one for one in self.open_to(facts) if not one.shadow)

    def in_shadow(self, facts: Facts) -> tuple[Policy, ...]:
        """Those of them that decide nothing."""
        return tuple(one for one in self.open_to(facts) if one.shadow)

    def to_try(self, facts: Facts) -> tuple[Policy, ...]:
        """The same; but of few policies all, so that the record shows of each why it does not match."""
        return self.deciding if len(self.deciding) <= _FEW else self.about(facts)


Files = Mapping[str, str]
"""File name to its whole text."""
_ENDINGS = (".yaml", ".yml")


def is_policy_file(name: str) -> bool:
    """Whether a file by this name is a policy or the config.

    Hidden files are none, nor is what file systems and editors leave beside others (`._x.yaml`, `~x.yaml`, `x.yaml~`).
    """
    path = PurePosixPath(name)
    return path.suffix.lower() in _ENDINGS and not path.name.startswith((".", "~"))
