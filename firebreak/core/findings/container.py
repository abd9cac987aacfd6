"""A container as a finding names it, and the image digests by which its revision may be known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from firebreak.core.secrets.redaction import safe
from firebreak.core.storage_names import Stored

_HEX = re.compile(r"[0-9a-f]{64}")
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})(?![0-9a-f])")
_NAME = 300
_URI = 1000


@dataclass(frozen=True, slots=True)
class Container(Stored):
    """A container of a finding.

    Attributes:
        name: as SCC names it; empty where it has none.
        uri: address of its image, which may name a mutable tag.
        digest: `sha256:…` of its imageId, which may be that of the image's config; without one, of the uri.
        uri_digest: `sha256:…` of the uri, where that is another one; None if it is not.
    """

    name: str
    uri: str
    digest: str | None
    uri_digest: str | None = None

    @property
    def digests(self) -> tuple[str, ...]:
        """Every digest that it names."""
        return tuple(filter(None, (self.digest, self.uri_digest)))


def read_container(container: Mapping[str, Any]) -> Container:
    """A container in SCC's JSON; both texts may name a digest, and either of them the one that revisions carry."""
    uri = _text(container, "uri")
    of_id, of_uri = image_digest(_text(container, "imageId")), image_digest(uri)
    other = of_uri if of_id not in (None, of_uri) else None
    return Container(safe(_text(container, "name"), _NAME), safe(uri, _URI), of_id or of_uri, other)


def image_digest(text: str) -> str | None:
    """The digest in an image's id or address: behind a name, alone in hex, in capitals; None if it names none."""
    text = text.strip().lower()
    found = [text] if _HEX.fullmatch(text) else _DIGEST.findall(text)
    return f"sha256:{found[-1]}" if found else None


def _text(of: Mapping[str, Any], key: str) -> str:
    value = of.get(key)
    return value if isinstance(value, str) else ""
