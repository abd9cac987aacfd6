"""A finding of SCC: what a message says of it, as the rest of Firebreak goes by it."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from firebreak.core.cloud_run.target import NotATarget, Target
from firebreak.core.facts import FactValue
from firebreak.core.findings.container import Container
from firebreak.core.findings.own_facts import CATALOGUE, facts_of, facts_of_time
from firebreak.core.serialization import UNSAVED
from firebreak.core.storage_names import Stored

_NAME = re.compile(
    r"(?P<container>(?:organizations|folders|projects)/[A-Za-z0-9][A-Za-z0-9:._-]{0,63})"
    r"/sources/(?P<source>[A-Za-z0-9][A-Za-z0-9-]{0,63})"
    r"(?:/locations/(?P<location>[a-z0-9][a-z0-9-]{0,63}))?/findings/(?P<finding>[A-Za-z0-9_-]{1,128})"
)


@dataclass(frozen=True, slots=True)
class FindingName(Stored):
    """A finding's address. `location` is `global` where the name has none."""

    container: str
    source: str
    location: str
    finding: str

    @property
    def local(self) -> tuple[str, str, str]:
        """The name below its container."""
        return self.source, self.location, self.finding

    @property
    def spellings(self) -> tuple[str, ...]:
        """The name with its location (v2) and, where SCC has both, without (v1)."""
        return tuple(f"{parent}/findings/{self.finding}" for parent in self.parents)

    @property
    def parents(self) -> tuple[str, ...]:
        """Where its source keeps it, spelled alike."""
        v1 = f"{self.container}/sources/{self.source}"
        v2 = f"{v1}/locations/{self.location}"
        return (v2, v1) if self.location == "global" else (v2,)


@dataclass(frozen=True, slots=True)
class Binary(Stored):
    """A file of the finding. `sha256` covers the whole file only if `whole`; `role` says where SCC listed it."""

    path: str
    role: str
    sha256: str | None
    whole: bool


@dataclass(frozen=True, slots=True)
class Finding(Stored):
    """One finding. Every text is redacted and escaped, or has the one form that it can have; `original` is neither.

    Attributes:
        name: its address in SCC.
        canonical_name: its address under the closest project, folder or organization; empty where SCC gives none.
        event_ns: event time, nanoseconds since 1970.
        category: the detector's display name.
        severity: as SCC spells it, such as CRITICAL; empty where SCC gives none.
        state: ACTIVE or INACTIVE.
        mute: MUTED, UNMUTED or UNDEFINED; UNDEFINED means that it was never muted.
        finding_class: such as THREAT; empty where SCC gives none.
        source_display: display name of the service that published it.
        organization: number of the organization; None where the message does not say.
        folders: numbers of the folders above the project; None where the message does not describe the place.
        target: the workload, or why the resource is none that Firebreak acts on.
        binaries: files that the finding names, the likeliest culprit first.
        containers: containers that the finding names.
        commands: command lines of the processes, redacted.
        tactic: SCC's name of the primary tactic; empty where there is none.
        techniques: SCC's names of the primary techniques.
        additional_techniques: SCC's names of the additional techniques.
        attack_version: release of ATT&CK that SCC refers to; empty where it does not say.
        contacts: email addresses of the Essential Contacts.
        description: SCC's description, cut.
        module: the detector's API name, or a custom module's path; empty where SCC gives none.
        original: finding and resource in SCC's JSON as they came; neither shown nor saved. None after a reload.
    """

    name: FindingName
    canonical_name: str
    event_ns: int
    category: str
    severity: str
    state: str
    mute: str
    finding_class: str
    source_display: str
    organization: str | None
    folders: tuple[str, ...] | None
    target: Target | NotATarget
    binaries: tuple[Binary, ...]
    containers: tuple[Container, ...]
    commands: tuple[str, ...]
    tactic: str
    techniques: tuple[str, ...]
    additional_techniques: tuple[str, ...]
    attack_version: str
    contacts: tuple[str, ...]
    description: str
    module: str = ""
    original: Mapping[str, Any] | None = field(default=None, repr=False, compare=False, metadata=UNSAVED)

    @property
    def canonical(self) -> FindingName | None:
        """The same finding under the closest project, folder or organization, where SCC says so."""
        return parse_finding_name(self.canonical_name)

    @property
    def other_names(self) -> tuple[FindingName, ...]:
        """Beside its name: the canonical one, and that under the project's id, which SCC may spell by number."""
        project = self.target.project_id if isinstance(self.target, Target) else None
        by_id = FindingName(f"projects/{project}", *self.name.local) if project else None
        return tuple(one for one in (self.canonical, by_id) if one)

    @property
    def incident_id(self) -> str:
        """One id for one event: source, finding and event time, however the message spells them."""
        identity = f"{self.name.source}/{self.name.finding}/{self.event_ns}"
        return "fb-" + hashlib.sha256(identity.encode()).hexdigest()[:16]

    @property
    def whole_hashes(self) -> tuple[str, ...]:
        """Distinct SHA-256 of whole files, the likeliest culprit first; partial hashes never count."""
        return tuple(dict.fromkeys(b.sha256 for b in self.binaries if b.whole and b.sha256))

    @property
    def digests(self) -> frozenset[str]:
        """The image digests that the finding gives, by which a container's revision may be known."""
        return frozenset(one for c in self.containers for one in c.digests)

    @property
    def severity_rank(self) -> int:
        """0 for the most severe; what has none, or one that is not known, comes last."""
        severities = CATALOGUE["finding.severity"].choices
        return len(severities) - 1 - severities.index(self.severity) if self.severity in severities else len(severities)

    def facts(self) -> dict[str, FactValue]:
        """What the finding alone tells policies; an absent severity is unknown."""
        files = tuple((b.role, b.path) for b in self.binaries)
        own = facts_of_time(self.event_ns) | facts_of(files, self.commands, self.containers)
        return self.plain_facts() | own

    def plain_facts(self) -> dict[str, FactValue]:
        """Those of them that `PLAIN_FACTS` names."""
        hashed = [b for b in self.binaries if b.sha256]
        facts: dict[str, FactValue] = {"finding.category": self.category}
        if self.severity in CATALOGUE["finding.severity"].choices:
            facts["finding.severity"] = self.severity
        if self.finding_class:
            facts["finding.class"] = self.finding_class
        if hashed:
            facts["finding.partial_hash"] = not any(b.whole for b in hashed)
        return facts


PLAIN_FACTS = frozenset(f"finding.{one}" for one in ("category", "severity", "class", "partial_hash"))
"""Those that are not about when and where what ran, which takes longer to tell."""


@functools.lru_cache(maxsize=16)
def parse_finding_name(name: str) -> FindingName | None:
    """Read `organizations/O/sources/S[/locations/L]/findings/F` (or folders/, projects/); None if it is not one."""
    found = _NAME.fullmatch(name)
    if not found:
        return None
    return FindingName(found["container"], found["source"], found["location"] or "global", found["finding"])
