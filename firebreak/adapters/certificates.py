"""Which contexts of TLS read the certificates of the machine: 20 ms of the processor, and most of a MiB each time."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def read_only_to_verify() -> Iterator[None]:
    """Meanwhile a context that verifies nothing reads none.

    For the import of aiohttp, which makes one of each kind, while VirusTotal is not asked yet. The other is never used
    here: without certificates it would verify nothing, as it does with them.
    """
    whole = ssl.SSLContext.set_default_verify_paths

    def read(context: ssl.SSLContext) -> None:
        if context.verify_mode is not ssl.CERT_NONE:
            whole(context)

    setattr(ssl.SSLContext, whole.__name__, read)
    try:
        yield
    finally:
        delattr(ssl.SSLContext, whole.__name__)
