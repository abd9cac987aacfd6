"""Writes the findings of drills into their own SCC source, and ends them; findings cannot be deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from google.cloud.securitycenter_v2 import types as securitycenter_v2

from firebreak.adapters.google.calls import call_write, pages_of
from firebreak.adapters.google.security_center import SecurityCenter
from firebreak.core.containment.canary import PREFIX
from firebreak.core.findings.finding import Finding, FindingName
from firebreak.core.findings.notification import parse_finding
from firebreak.ports.deadline import Deadline


class DrillFindings:
    """Findings of one source, which `name` says with a finding's id of `-`."""

    def __init__(self, scc: SecurityCenter, name: FindingName) -> None:
        """Nothing is asked yet."""
        self._scc = scc
        self.name = name

    def create(self, finding_id: str, body: Mapping[str, Any], deadline: Deadline) -> Finding:
        """Write a finding, in SCC's JSON; as SCC took it. Raises Refused and its kin, or Transient."""
        made = securitycenter_v2.Finding.from_json(json.dumps(body))
        request = securitycenter_v2.CreateFindingRequest(parent=self._parent, finding_id=finding_id, finding=made)
        taken = call_write(self._client.create_finding, deadline, request=request)
        whole = type(taken).to_dict(taken, preserving_proto_field_name=False, use_integers_for_enums=False)
        return parse_finding(whole, {})

    def end(self, finding_id: str, deadline: Deadline) -> None:
        """Make a finding INACTIVE; raises Missing, Denied or Transient."""
        inactive = securitycenter_v2.Finding.State.INACTIVE
        request = securitycenter_v2.SetFindingStateRequest(name=f"{self._parent}/findings/{finding_id}", state=inactive)
        call_write(self._client.set_finding_state, deadline, request=request)

    def active(self, project: str, deadline: Deadline) -> Iterator[str]:
        """The ids of what is active in this source on canaries of a project."""
        about = f'state = "ACTIVE" AND resource_name : "/services/{PREFIX}"'
        request = securitycenter_v2.ListFindingsRequest(parent=self._parent, filter=about, page_size=100)
        for page in pages_of(self._client.list_findings, deadline, request):
            for one in page.list_findings_results:
                if f"/projects/{project}/" in one.finding.resource_name:
                    yield one.finding.name.rpartition("/")[2]

    @property
    def _parent(self) -> str:
        return f"{self.name.container}/sources/{self.name.source}/locations/{self.name.location}"

    @property
    def _client(self) -> Any:  # noqa: ANN401 - Google's client
        return self._scc.client_at(self.name.location)
