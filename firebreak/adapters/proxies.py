"""The way out: through the proxy that the environment names, except to this machine and to what NO_PROXY names."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

DIRECT = (("grpc.enable_http_proxy", 0),)
"""For a gRPC channel to this machine: gRPC would take a proxy for it as well."""


def proxy_of(url: str) -> str | None:
    """The proxy for this URL by HTTPS_PROXY (or HTTP_PROXY) and NO_PROXY, in either spelling; None: none."""
    split = urlsplit(url)
    proxies = getproxies()
    if _is_local(split.hostname or "") or proxy_bypass(split.netloc):
        return None
    found = proxies.get(split.scheme)
    return found if not found or "://" in found else f"http://{found}"


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
