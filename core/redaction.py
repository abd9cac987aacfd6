"""One place for everything that is shown or stored: secrets out, control characters visible, sizes bounded."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

LONGEST_TEXT = 2000
LONGEST_LIST = 50
LARGEST_RECORD = 200_000
_DEEPEST = 12
_SCANNED = 20_000
_LONGEST_QUOTED = 600  # a quoted secret of several words, with its name

_NAMED = (
    r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|apikey|access[_-]?key|client[_-]?secret|auth|credential"
    r"|private[_-]?key|session[_-]?key|signature|pgpassword|mysql_pwd)s?"
)
# Each pattern is anchored on a literal and bounded, so that hostile text costs linear time.
_SECRETS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (
            "private key",
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]{0,8000}?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)",
        ),
        ("age key", r"AGE-SECRET-KEY-1[0-9A-Z]{20,80}"),
        ("Google API key", r"AIza[0-9A-Za-z_-]{30,40}"),
        ("Google OAuth token", r"ya29\.[0-9A-Za-z_.-]{20,400}"),
        ("Google client secret", r"GOCSPX-[0-9A-Za-z_-]{20,40}"),
        ("AWS access key", r"\b(?:AKIA|ASIA|AGPA|AROA)[0-9A-Z]{16}\b"),
        ("GitHub token", r"\b(?:gh[pousr]_[0-9A-Za-z]{30,255}|github_pat_[0-9A-Za-z_]{30,255})"),
        ("GitLab token", r"\bglpat-[0-9A-Za-z_-]{15,64}"),
        ("Slack token", r"\bxox[abeoprs]-[0-9A-Za-z-]{10,200}"),
        ("Slack webhook", r"hooks\.slack\.com/(?:services|workflows)/[0-9A-Za-z/_-]{10,200}"),
        ("chat webhook", r"chat\.googleapis\.com/v1/spaces/[^\s\"']{10,400}"),
        ("Stripe key", r"\b[rs]k_(?:live|test)_[0-9A-Za-z]{16,128}"),
        ("JWT", r"\beyJ[0-9A-Za-z_-]{8,2000}\.[0-9A-Za-z_-]{8,4000}\.[0-9A-Za-z_-]{0,1000}"),
        ("SendGrid key", r"\bSG\.[0-9A-Za-z_-]{16,40}\.[0-9A-Za-z_-]{16,64}"),
        ("Twilio key", r"\b[Ss][Kk][0-9a-f]{32}\b"),
        ("npm token", r"\bnpm_[0-9A-Za-z]{30,64}"),
        ("PyPI token", r"\bpypi-[0-9A-Za-z_-]{32,400}"),
        ("Anthropic key", r"\bsk-ant-[0-9A-Za-z_-]{20,200}"),
        # Without a second dash, so that a service may be called sk-something-long.
        ("OpenAI key", r"\bsk-(?:(?:proj|svcacct|admin)-[0-9A-Za-z_-]{20,200}|[0-9A-Za-z]{32,200})"),
        ("Azure key", r"AccountKey=[0-9A-Za-z+/=]{20,120}"),
        ("Vault token", r"\bhv[sb]\.[0-9A-Za-z_-]{20,200}"),
        ("DigitalOcean token", r"\bdo[opr]_v1_[0-9a-f]{32,80}"),
        ("Telegram token", r"\b\d{8,10}:AA[0-9A-Za-z_-]{30,40}"),
        ("authorization header", r"(?i:\b(?:bearer|basic)\s+)[0-9A-Za-z+/_.=~-]{8,2000}"),
        ("password in a URL", r"(?<=://)[^\s/@:\"']{0,100}:[^\s/@\"']{1,200}(?=@)"),
        (
            "secret",
            (
                rf"(?i)(?<![0-9A-Za-z])(?:[0-9A-Za-z]{{1,30}}[_-]){{0,5}}{_NAMED}[\"']?\s{{0,3}}(?:=|:(?!//))\s{{0,3}}"
                r"(?!\[redacted )(?:\"[^\"]{1,500}\"|'[^']{1,500}'|[^\s\"',;&\[]{3,500})"
            ),
        ),
        ("secret", rf"(?i)(?<=\s)--?{_NAMED}\s{{1,3}}(?!\[redacted )[^\s-][^\s]{{2,500}}"),
    )
)
_SECRET_NAME = re.compile(rf"(?i){_NAMED}\Z")
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e01ef]"
)
_MORE = re.compile(r"… \([0-9]{1,12} more characters\)\Z")
_LONGEST_MORE = 40


def safe(text: str, limit: int = LONGEST_TEXT) -> str:
    """Redact, escape and bound a text to about `limit` characters; doing so twice changes nothing more."""
    more = _MORE.search(text)
    if more and len(text) <= limit + _LONGEST_MORE:
        # Cut before, or pretending to be: what is left of it is looked at again, and not cut again.
        return _shown(text[: more.start()]) + more[0]
    scanned = max(_SCANNED, limit + _LONGEST_QUOTED)
    shown = _shown(text[:scanned])
    unseen = max(0, len(text) - scanned)
    if unseen:
        # Of the last words only the beginning was looked at, and a secret is not known by its beginning.
        shown = shown[: max(0, len(shown) - _LONGEST_QUOTED)].rpartition(" ")[0]
    dropped = max(0, len(shown) - limit) + unseen
    return f"{shown[:limit]}… ({dropped} more characters)" if dropped else shown


def _shown(text: str) -> str:
    return _UNSAFE.sub(_visible, _without_secrets(text))


def names_a_secret(key: str) -> bool:
    """Whether what stands under this name in JSON is taken for a secret, whatever it looks like."""
    return _SECRET_NAME.search(key) is not None


def _without_secrets(text: str) -> str:
    for kind, pattern in _SECRETS:
        text = pattern.sub(f"[redacted {kind}]", text)
    return text


def _visible(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - the last of the basic plane


def safe_value(value: object, depth: int = 0) -> Any:  # noqa: ANN401 - JSON
    """The same for nested JSON: texts safe, lists cut with the count of the rest, depth bounded."""
    if isinstance(value, str):
        return safe(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth >= _DEEPEST:
        return "… (nested too deep)"
    if isinstance(value, Mapping):
        return {safe(str(key), 200): safe_value(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = list(value) if isinstance(value, list | tuple) else sorted(value, key=str)
        kept = [safe_value(one, depth + 1) for one in items[:LONGEST_LIST]]
        more = len(items) - LONGEST_LIST
        return [*kept, f"… and {more} more"] if more > 0 else kept
    return safe(str(value))


def safe_texts(value: object) -> Any:  # noqa: ANN401 - JSON
    """Nested JSON with every text in it safe, and nothing cut or left out: it still loads as what it was."""
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, Mapping):
        return {key: safe_texts(one) for key, one in value.items()}
    return [safe_texts(one) for one in value] if isinstance(value, list) else value


_KEPT = ("id", "phase", "plan", "decision", "created", "updated")


def bounded_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record of at most 200 kB: the largest parts that may go are replaced by their size and named under `cut`."""
    whole: dict[str, Any] = safe_value(record)
    cut: list[str] = list(whole.get("cut", ()))
    while _size(whole) > LARGEST_RECORD:
        largest = max((key for key in whole if key not in (*_KEPT, "cut")), key=lambda key: _size(whole[key]))
        if _size(whole[largest]) < 100:  # noqa: PLR2004 - nothing left worth cutting
            break
        part = whole[largest]
        whole[largest] = part[: len(part) // 2] if isinstance(part, list) and len(part) > 1 else None
        cut.append(largest)
        whole["cut"] = sorted(set(cut))
    return whole


def _size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())
