"""Close the ways by which requests come in: no ingress, and no direct URL."""

from __future__ import annotations

from firebreak.core.actions.action import NoParams, Refusal, Responder
from firebreak.core.actions.case import EditContext
from firebreak.core.actions.setting_order import narrower_ingress
from firebreak.core.cloud_run.setting_names import DEFAULT_URI_DISABLED, INGRESS
from firebreak.core.cloud_run.state import State


class CutTraffic(Responder):
    """Ingress none where the API accepts it, else internal; the run.app URL off. Egress is untouched."""

    summary = "Close the service to requests: ingress none (internal where the API refuses none), direct URL off."
    kinds = frozenset({"service"})
    surfaces = frozenset({"service"})
    countermeasure = "D3-ITF"
    permissions = frozenset({"run.services.update", "iam.serviceAccounts.actAs", "run.operations.get"})
    call = "UpdateService, mask ingress, default_uri_disabled; once more with ingress internal where none is refused"
    closes = "every request from outside, tags and domain mappings too; the run.app address no longer resolves"
    leaves_open = ("what runs can still send to the outside: cutting traffic does not touch egress",)
    undo = "ingress and direct URL as they were, each only if it is still as Firebreak wrote it"

    def edit(self, before: State, case: EditContext, params: NoParams) -> State | Refusal:  # noqa: ARG002 - takes none
        """The settings with ingress and direct URL closed; a setting that already lets in less stays as it is."""
        wanted = "internal" if f"{INGRESS}=none" in case.unsupported else "none"
        door = narrower_ingress(before.get(INGRESS), wanted)
        return {**before, INGRESS: door, DEFAULT_URI_DISABLED: True}


action = CutTraffic()
