"""Between the message and the write there is one wait: whatever the decision rests on is asked at once."""

from __future__ import annotations

import threading
from collections import Counter

from sandbox.wire import Call
from tests.response.harness import ALWAYS, GOOD, Line, Lines

_READS = ("*/ListFindings", "*/GetService", "*/ListRevisions", "*/GetIamPolicy", "virustotal/*")
_LONGEST = 5.0


class Crowd:
    """Holds every answer back until so many calls of each kind have come."""

    def __init__(self, on: Line, expected: dict[str, int]) -> None:
        self._expected = Counter(expected)
        self._came = Counter[str]()
        self._all = threading.Event()
        self._lock = threading.Lock()
        for glob in _READS:
            on.sandbox.wire.watch(glob, self._arrives)

    def _arrives(self, call: Call) -> None:
        with self._lock:
            self._came[call.method.rpartition("/")[2]] += 1
            if self._came >= self._expected:
                self._all.set()
        self._all.wait(_LONGEST)

    @property
    def together(self) -> bool:
        return self._all.is_set()


def test_scc_the_workload_virustotal_and_related_findings_are_asked_before_any_of_them_has_answered(
    line: Lines,
) -> None:
    """Under the shipped policies, where VirusTotal decides; SCC is asked for its word and for others around."""
    with line() as on:
        pair = on.finding()
        asked = {"ListFindings": 3, "GetService": 1, "ListRevisions": 1, "GetIamPolicy": 1, "GET files": 1}
        crowd = Crowd(on, asked)
        incident = on.respond(pair)
        calls = [one.method.rpartition("/")[2] for one in on.sandbox.wire.calls]
        before = Counter(calls[: calls.index("UpdateService")])

        assert crowd.together
        assert incident.phase == "contained"
        assert set(on.reachable) == {GOOD}
        assert {name: before[name] for name in asked} == asked, "nothing is asked twice while it is fresh"


def test_what_scc_tells_otherwise_is_asked_anew(line: Lines) -> None:
    """The message names a file of its own; SCC holds another one, which is what VirusTotal is then asked about."""
    with line() as on:
        pair = on.finding()
        told = pair["finding"]["processes"][0]["binary"]
        held, told["sha256"] = told["sha256"], "0" * 64
        incident = on.respond(pair)
        looked_up = [str(one.request) for one in on.sandbox.wire.calls_to("virustotal/*")]

        assert incident.phase == "contained"
        assert held in looked_up[-1]
        assert "0" * 64 not in str(on.shown(incident)["evidence"])


def test_nothing_is_read_of_a_workload_before_it_is_known_to_be_of_our_organization(line: Lines) -> None:
    """A message that says nothing of an organization has SCC asked first, and SCC alone."""
    with line() as on:
        pair = on.finding(held=False)
        pair["finding"]["name"] = pair["finding"]["canonicalName"]
        pair["finding"]["parent"] = pair["finding"]["name"].partition("/findings/")[0]
        del pair["resource"]["gcpMetadata"]
        pair["resource"].pop("resourcePath", None)
        pair["resource"].pop("resourcePathString", None)
        on.respond(pair)
        calls = [one.method.rpartition("/")[2] for one in on.sandbox.wire.calls]

        assert calls[:4] == ["ListFindings"] * 4, "asked again, as what is not held yet is, before anything else"


def test_what_was_seen_in_effect_is_not_read_once_more_before_it_is_told(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        on.respond(on.finding())
        calls = [one.method.rpartition("/")[2] for one in on.sandbox.wire.calls]
        after = calls[calls.index("UpdateService") :]

        assert after.count("GetService") == 1
        assert after.index("GetService") < after.index("Publish")
