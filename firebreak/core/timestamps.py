"""Times as SCC writes them: RFC 3339 with up to nine digits, kept as integer nanoseconds and never as floats."""

from __future__ import annotations

import datetime as dt
import re

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
NANOS = 1_000_000_000


def parse_instant(text: str) -> int:
    """Nanoseconds since 1970 in UTC; raises ValueError for anything that is not an RFC 3339 time."""
    found = _RFC3339.fullmatch(text)
    if not found:
        message = "not an RFC 3339 time"
        raise ValueError(message)
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    seconds = dt.datetime(year, month, day, hour, minute, min(second, 59), tzinfo=dt.UTC).timestamp()
    nanos = int((found[7] or "").ljust(9, "0"))
    offset = 0 if found[8] is None else (int(found[9]) * 60 + int(found[10])) * 60 * (1 if found[8] == "+" else -1)
    return (int(seconds) - offset + (1 if second == 60 else 0)) * NANOS + nanos  # noqa: PLR2004 - a leap second


def format_instant(nanos: int) -> str:
    """RFC 3339 in UTC with as many fractional digits as needed (0, 3, 6 or 9), as protobuf prints it."""
    seconds, rest = divmod(nanos, NANOS)
    text = dt.datetime.fromtimestamp(seconds, tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    digits = f"{rest:09d}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f"{text}.{digits}Z" if digits else f"{text}Z"


def nanos_of(moment: dt.datetime) -> int:
    """An aware datetime as nanoseconds since 1970."""
    delta = moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return (delta.days * 86_400 + delta.seconds) * NANOS + delta.microseconds * 1000
