"""Exceptions named for what the caller should do. Their texts are ours, and safe to show and to log."""

from __future__ import annotations


class Transient(Exception):
    """Something is busy or cannot be reached now; the same message will be tried again."""


class NotLetIn(Transient):
    """The ledger denies it. To the function that may pass, once the role is granted; a person is told which."""


class Throttled(Transient):
    """The cloud takes no more of such calls for now."""


class Refused(Exception):
    """The cloud will not do it, now or later. `status` is the OCSF outcome it becomes."""

    status = "Failure"


class Missing(Refused):
    """The target does not exist."""

    status = "Does Not Exist"


class Denied(Refused):
    """Firebreak's identity lacks a permission."""


class Perimeter(Denied):
    """A perimeter of VPC Service Controls refuses the call, which no role would change."""


class Unsupported(Refused):
    """The API does not accept this setting for this target. `setting` is `key=value` where it is known."""

    status = "Unsupported"

    def __init__(self, text: str, setting: str | None = None) -> None:
        """Keep the refused setting, so that the plan can be drafted anew without it."""
        super().__init__(text)
        self.setting = setting


class Failed(Refused):
    """The operation was accepted and ended in an error."""


class Drifted(Refused):
    """The settings changed between the draft and the write; nothing was written."""


class AnotherResource(Drifted):
    """What this is about was deleted, and another one made in its place, or it cannot be told: nothing is written."""


class Unfinished(Transient):
    """The write was accepted and is still under way; `operation` is its name, to be polled on."""

    def __init__(self, operation: str) -> None:
        """Keep the operation's name for the record."""
        super().__init__("the operation is still running")
        self.operation = operation


class Malformed(Exception):
    """The message cannot be read as an SCC notification. The text is ours and safe to show."""
