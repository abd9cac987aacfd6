"""Whether a name, of a variable, an option, a header or a field, says that its value is a secret."""

from __future__ import annotations

import functools
import re

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_LONGEST = 120
_SECRETS = frozenset(
    (
        *("password", "passwords", "passwd", "passphrase", "passcode", "pass", "pwd", "pswd", "psw", "pw", "secret"),
        *(
            "secrets",
            "token",
            "tokens",
            "credential",
            "credentials",
            "cred",
            "creds",
            "auth",
            "authorization",
            "cookie",
        ),
        *("cookies", "signature", "sig", "jwt", "bearer", "otp", "sessionid", "sessid", "phpsessid", "jsessionid"),
        *(
            "dbpass",
            "storepass",
            "keypass",
            "requirepass",
            "userpass",
            "rootpass",
            "mysqlpass",
            "sshpass",
            "apikeys",
            "sas",
            "keyfilejson",
        ),
    )
)
_ENDINGS = (
    *("password", "passwd", "passphrase", "secret", "token", "credential", "credentials"),
    *("apikey", "accesskey", "secretkey", "privatekey", "authkey"),
)
"""Words that are written without anything between them: `pgpassword`, `authtoken`."""
_KEYS = frozenset(
    (
        *("api", "access", "secret", "private", "session", "encryption", "encrypt", "signing", "account", "shared"),
        *(
            "master",
            "auth",
            "deploy",
            "ssh",
            "rsa",
            "subscription",
            "consumer",
            "hmac",
            "aes",
            "seal",
            "app",
            "license",
        ),
        *("service", "storage", "client", "jwt", "admin", "webhook"),
    )
)
"""Before `key`, they make it a secret."""
_NAMES_OF = frozenset(
    (
        *("name", "names", "ref", "refs", "reference", "id", "ids", "file", "path", "dir", "mount", "volume", "url"),
        *("uri", "endpoint", "host", "bucket", "type", "kind", "count", "limit", "max", "min", "length", "len", "size"),
        *("ttl", "expiry", "expires", "expiration", "expire", "age", "policy", "rotation", "version", "versions"),
        *("manager", "store", "provider", "class", "algorithm", "alg", "format", "enabled", "disabled", "required"),
        *("field", "hash", "digest", "service", "usage", "budget", "rate", "scope", "scopes", "issuer", "audience"),
        *("status", "valid", "validity", "method", "mode", "timeout", "time", "info", "error", "errors", "failure"),
        *("failures", "domain", "samesite", "fd", "mechanism", "strategy", "plugin", "backend", "source", "metadata"),
    )
)
"""After a secret's name, they make it the name of something about it: `secretKeyRef`, `token_bucket`."""
_COUNTED = frozenset({"max", "min", "total", "num", "prompt", "completion", "input", "output", "used", "page", "next"})
"""Before `token` or `tokens`, they make it a number or a place in a list."""
_CLOUD_RUN_OPTIONS = frozenset({"set", "update", "remove", "clear"})
_YET_SECRET = frozenset({("secret", "id"), ("session", "id")})


@functools.lru_cache(maxsize=4096)
def names_a_secret(name: str) -> bool:
    """Whether what stands under this name is taken for a secret, whatever it looks like."""
    words = [word.lower() for word in _WORD.findall(name[-_LONGEST:])]
    if tuple(words[-2:]) in _YET_SECRET:
        return True
    last = next((at for at in range(len(words) - 1, -1, -1) if _secret(words, at)), None)
    return last is not None and not _NAMES_OF.intersection(words[last + 1 :])


def _secret(words: list[str], at: int) -> bool:
    word, before = words[at], words[at - 1] if at else ""
    if word in ("key", "keys"):
        return before in _KEYS
    if word in ("token", "tokens"):
        return before not in _COUNTED
    if word == "secrets":
        return before not in _CLOUD_RUN_OPTIONS
    return word in _SECRETS or word.endswith(_ENDINGS)
