"""Credentials that are missing or are not taken any more: told as such, with what to type, and not as an outage."""

from __future__ import annotations

from typing import Any

import pytest
from google.api_core import exceptions
from google.auth.exceptions import DefaultCredentialsError, RefreshError, TransportError

from firebreak.adapters.google.calls import LOG_IN, translate_errors
from firebreak.adapters.storage.firestore_faults import translate_faults
from firebreak.core.errors import Denied, Transient

GOOGLE: Any = exceptions  # untyped
PLUGIN = "Getting metadata from plugin failed with error: ('invalid_grant: Token has been expired or revoked.')"


@pytest.mark.parametrize(
    ("fault", "hint"),
    [
        (DefaultCredentialsError("none"), True),
        (RefreshError("reauthentication is needed"), True),
        (GOOGLE.ServiceUnavailable(PLUGIN), True),
        (GOOGLE.Unauthenticated("no"), True),
        (TransportError("no route"), False),
        (GOOGLE.ServiceUnavailable("try again"), False),
        (GOOGLE.PermissionDenied("no"), False),
    ],
    ids=["none", "to be renewed", "expired, in grpc's words", "not taken", "network", "outage", "denied"],
)
def test_the_way_to_log_in_is_said_where_it_helps_and_nowhere_else(fault: Exception, hint: bool) -> None:  # noqa: FBT001 - a table
    with pytest.raises((Transient, Denied)) as ours, translate_errors():
        raise fault
    with pytest.raises(Transient) as ledgers, translate_faults("projects/p/databases/d", "read"):
        raise fault

    assert [LOG_IN in str(one.value) for one in (ours, ledgers)] == [hint, hint]
