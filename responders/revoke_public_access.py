"""Close a service to the public: no public member may send requests, and callers are checked."""

from __future__ import annotations

from firebreak.core.actions.action import NoParams, Refusal, Responder
from firebreak.core.actions.case import EditContext
from firebreak.core.cloud_run.iam_grants import PUBLIC, grants_of
from firebreak.core.cloud_run.setting_names import INVOKER_CHECK_OFF
from firebreak.core.cloud_run.state import State

_SURFACE = "service_iam"


class RevokePublicAccess(Responder):
    """allUsers and allAuthenticatedUsers leave every role that may invoke; every other grant stays as it is."""

    summary = "Take allUsers and allAuthenticatedUsers out of every role that can invoke; check callers again."
    kinds = frozenset({"service"})
    surfaces = frozenset({"service", "service_iam"})
    countermeasure = "D3-APA"
    permissions = frozenset(
        {
            "run.services.getIamPolicy",
            "run.services.setIamPolicy",
            "run.services.create",
            "run.services.update",
            "iam.serviceAccounts.actAs",
            "run.operations.get",
        }
    )
    call = "SetIamPolicy (version 3, etag) on the service's own policy; UpdateService, mask invoker_iam_disabled"
    closes = "requests from callers without a grant of their own"
    leaves_open = ("a change of IAM takes minutes to reach every server: typically 2, at times 7 or more",)
    undo = "the same members in the same bindings, conditions too; an organization policy on public members may refuse"

    def edit(self, before: State, case: EditContext, params: NoParams) -> State | Refusal:  # noqa: ARG002 - takes none
        """The settings without public members."""
        public = {key for key, grant in grants_of(before, _SURFACE) if grant.member in PUBLIC}
        return {key: value for key, value in before.items() if key not in public} | {INVOKER_CHECK_OFF: False}


action = RevokePublicAccess()
