"""Google's administrative APIs for which no client is among the requirements, as plain REST."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, partial
from typing import Any
from urllib.parse import quote

import requests
from google.api_core import exceptions
from google.auth.credentials import Credentials
from google.auth.transport.requests import AuthorizedSession

from firebreak.adapters.google.calls import call_read, with_credentials
from firebreak.core.errors import Transient
from firebreak.ports.deadline import Deadline

_VERSIONS: Mapping[str, str] = {
    "cloudfunctions.googleapis.com": "v2",
    "cloudresourcemanager.googleapis.com": "v3",
    "cloudscheduler.googleapis.com": "v1",
    "iam.googleapis.com": "v1",
    "monitoring.googleapis.com": "v3",
    "secretmanager.googleapis.com": "v1",
    "serviceusage.googleapis.com": "v1",
}
_SAFE = "/:@()-._~"
_MOST_PAGES = 50
Query = Mapping[str, str]


def _session_with(credentials: Credentials) -> AuthorizedSession:
    return AuthorizedSession(credentials)


class Rest:
    """Reads of these APIs. The session is made on first use."""

    def __init__(self, emulator: str | None) -> None:
        """`emulator` is `host:port` of a local stand-in for all of them, or None for Google's."""
        self._emulator = emulator

    @cached_property
    def _session(self) -> requests.Session:
        if self._emulator:
            session = requests.Session()
            session.trust_env = False  # no proxy stands between this machine and itself
            return session
        made: requests.Session = with_credentials(_session_with)
        return made

    def get(self, name: str, deadline: Deadline, query: Query | None = None) -> dict[str, Any]:
        """The resource of that full name; raises whatever `translate_errors` makes of an error."""
        return self._call("GET", name, deadline, query, whole=True)

    def post(
        self, name: str, verb: str, body: Mapping[str, Any], deadline: Deadline, query: Query | None = None
    ) -> dict[str, Any]:
        """What a method that only reads says of the resource; raises as `get` does."""
        return self._call("POST", f"{name}:{verb}", deadline, query, body)

    def pages(self, name: str, deadline: Deadline, query: Query) -> Iterator[dict[str, Any]]:
        """Every page of a list; raises as `get` does, and Transient for a list that does not end."""
        token = ""
        for _ in range(_MOST_PAGES):
            page = self._call("GET", name, deadline, {**query, **({"pageToken": token} if token else {})})
            yield page
            token = str(page.get("nextPageToken") or "")
            if not token:
                return
        message = f"{name} has more pages than are read"
        raise Transient(message)

    def _call(
        self,
        method: str,
        name: str,
        deadline: Deadline,
        query: Query | None,
        body: Mapping[str, Any] | None = None,
        *,
        whole: bool = False,
    ) -> dict[str, Any]:
        """What is answered; where that is to be `whole`, an object with nothing in it is no answer yet."""
        host, _, path = name.removeprefix("//").partition("/")
        root = f"http://{self._emulator}/{host}" if self._emulator else f"https://{host}"
        url = f"{root}/{_VERSIONS[host]}/{quote(path, safe=_SAFE)}"
        asked: Callable[..., dict[str, Any]] = partial(self._asked, method, url, query, body, whole=whole)
        return call_read(asked, deadline)

    def _asked(
        self,
        method: str,
        url: str,
        query: Query | None,
        body: Mapping[str, Any] | None,
        timeout: float,
        retry: None,  # noqa: ARG002 - as Google's clients are called
        *,
        whole: bool,
    ) -> dict[str, Any]:
        try:
            answer = self._session.request(method, url, params=query, json=body, timeout=timeout)
        except requests.RequestException as fault:
            message = f"could not be reached ({type(fault).__name__})"
            raise exceptions.ServiceUnavailable(message) from None
        read = _json(answer)
        if not answer.ok:
            told = read.get("error")
            words = told.get("message") if isinstance(told, dict) else None
            raise exceptions.from_http_status(answer.status_code, str(words or answer.reason))
        if whole and not read:
            message = "the answer is empty"
            raise exceptions.ServiceUnavailable(message)
        return read


def _json(answer: requests.Response) -> dict[str, Any]:
    """The answer's object; nothing where it has none. Of a success that is one that passes: another may be whole."""
    try:
        read = answer.json()
    except requests.JSONDecodeError:
        read = None
    if not isinstance(read, dict) and answer.ok:
        message = "the answer cannot be read"
        raise exceptions.ServiceUnavailable(message)
    return read if isinstance(read, dict) else {}
