"""Move traffic or instances off the suspect revisions onto the newest good one from before them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from firebreak.core.actions.action import Refusal, Responder
from firebreak.core.actions.case import EditContext
from firebreak.core.actions.refuge import NoRefuge, find_refuge
from firebreak.core.actions.suspects import images_of
from firebreak.core.cloud_run.setting_names import LATEST, TAG
from firebreak.core.cloud_run.state import State
from firebreak.core.cloud_run.workload import references, split_key, split_of, split_text


@dataclass(frozen=True, slots=True)
class Params:
    """`require_different_image`: refuse a refuge that carries the same image as a suspect."""

    require_different_image: bool = False


class PinPreviousRevision(Responder):
    """Removes every reference to suspects: percent, tag and LATEST. Other revisions keep their share and tags."""

    summary = "Send what suspect revisions get, traffic or instances, to the newest good revision from before them."
    kinds = frozenset({"service", "worker_pool"})
    surfaces = frozenset({"service", "worker_pool"})
    countermeasure = "D3-RS"
    permissions = frozenset(
        {"run.services.update", "run.workerpools.update", "iam.serviceAccounts.actAs", "run.operations.get"}
    )
    call = "UpdateService, mask traffic; UpdateWorkerPool, mask instance_splits"
    closes = "the suspect revisions: no share of traffic or instances, no tag, no LATEST that means them"
    undo = "split and tags as they were, each only if it is still as Firebreak wrote it"
    example = "{action: pin_previous_revision, require_different_image: true}"
    params = Params

    def edit(self, before: State, case: EditContext, params: Params) -> State | Refusal:
        """The settings without the suspects; refused when a share must move and no refuge exists."""
        if case.suspicion.rule == "unplaced":
            return Refusal(case.suspicion.reason, "nothing_suspect")
        uses = references(before, case.latest)
        suspects = case.suspects & uses.keys()
        after = {key: value for key, value in before.items() if not (key.startswith(TAG) and _is(value, case))}
        key = split_key(before)
        if key is None or not any(uses[name].listed for name in suspects):
            return after
        split = {name: percent for name, percent in split_of(before).items() if not _is(name, case)}
        if share := 100 - sum(split.values()):
            serving = frozenset(name for name in suspects if uses[name].percent)
            wanted: Literal["preferred", "required"] = "required" if params.require_different_image else "preferred"
            images = images_of(case.suspects, case.revisions, case.suspicion.images)
            refuge = find_refuge(case.revisions, case.suspects, serving, images, wanted, case.disputed)
            if isinstance(refuge, NoRefuge):
                return Refusal(refuge.reason, "disputed" if refuge.disputed else "cannot")
            split[refuge.name] = split.get(refuge.name, 0) + share
        return after | {key: split_text(split)}


def _is(entry: object, case: EditContext) -> bool:
    """Whether a traffic entry means a suspect now."""
    return (case.latest if entry == LATEST else entry) in case.suspects


action = PinPreviousRevision()
