"""The machine over the wire: the sandbox for each history, and the real clients and the real store in between."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar

from tests.model.clock import Clock
from tests.model.ground import KEY
from tests.model.machine import ResponseMachine
from tests.model.policies import SELF, config_of, policy_text
from tests.model.wire import SandboxGround, empty_world
from tests.response.harness import Lines


class MachineOverTheWire(ResponseMachine):
    """The same rules; nobody tampers with the store, and operations end at once."""

    histories: ClassVar[int] = 0

    def new_ground(self) -> SandboxGround:
        self.around = ExitStack()
        folder = Path(self.around.enter_context(tempfile.TemporaryDirectory()))
        clock = Clock()
        ResponseMachine.clock_of_now = lambda: clock
        line = self.around.enter_context(
            Lines(folder)(
                empty_world(clock),
                config=config_of("enforce"),
                policy=policy_text(),
                FIREBREAK_SELF=SELF,
                FIREBREAK_SEAL_KEY=KEY.decode().replace(" ", "-"),
                FIREBREAK_SCC_MARKS="off",
                VIRUSTOTAL_API_KEY="",
            )
        )
        MachineOverTheWire.histories += 1
        return SandboxGround(line, clock)

    def teardown(self) -> None:
        with self.around:
            super().teardown()
