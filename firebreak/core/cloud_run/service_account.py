"""What a service account's address says of it: whose it is, and so whether it may be disabled."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["workload", "default", "agent", "unknown"]
# Made by Google for a project as a whole, and run as by whatever there names no account of its own.
_DEFAULT = re.compile(r"[0-9]+-compute@developer\.gserviceaccount\.com|[a-z0-9.-]+@appspot\.gserviceaccount\.com")
# Service agents (accounts of Google's own services), and any other address outside a project's domain.
_AGENT = re.compile(
    r"(?:service-(?:org-|folder-)?[0-9]{6,}@[a-z0-9.-]+|[a-z0-9._-]+@gcp-sa-[a-z0-9-]+\.iam)\.gserviceaccount\.com"
    r"|[a-z0-9._-]+@(?!developer\.|appspot\.)[a-z0-9-]+\.gserviceaccount\.com"
)
_OWN = re.compile(r"[a-z0-9-]{1,63}@[a-z0-9.-]{1,120}\.iam\.gserviceaccount\.com")


def kind_of(email: str) -> Kind:
    """`workload` for an account that somebody made, `default` for a project's own, `agent` for one of Google's."""
    if _DEFAULT.fullmatch(email):
        return "default"
    if _AGENT.fullmatch(email):
        return "agent"
    return "workload" if _OWN.fullmatch(email) else "unknown"


def project_of(email: str) -> str | None:
    """The project that the address names, by id or by number; None where it names none."""
    name, _, domain = email.partition("@")
    kind = kind_of(email)
    if kind == "workload":
        return _id_of(domain.removesuffix(".iam.gserviceaccount.com"))
    if kind == "default":
        return name.removesuffix("-compute") if domain.startswith("developer.") else _id_of(name)
    return None


def _id_of(text: str) -> str:
    """The project shop of example.com is example.com:shop, and shop.example.com in an address."""
    name, _, domain = text.partition(".")
    return f"{domain}:{name}" if domain else name
