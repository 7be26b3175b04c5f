"""HTTP to where callers want it: the connection goes to exactly the address that was looked at."""

import asyncio
import ssl
from collections.abc import Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Final

import httpx
from typing_extensions import override

from api_gateway.integration.clients.addresses import Address
from api_gateway.integration.clients.url_guard import OutgoingGuard
from neuroglia.core import ConfigurationError

_AT_ONCE: Final = 64


class GuardedTransport(httpx.AsyncBaseTransport):
    """Asks for a name's addresses once, has them checked, and connects to them as addresses. TLS (SNI and certificate)
    and `Host` keep the name. Connections are not kept: each would have been made for one name, and be found again by
    its address."""

    def __init__(self, guard: OutgoingGuard, trusted: ssl.SSLContext) -> None:
        self._guard = guard
        self._http = httpx.AsyncHTTPTransport(
            verify=trusted,
            trust_env=False,
            limits=httpx.Limits(max_connections=_AT_ONCE, max_keepalive_connections=0),
        )

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises UrlRefused instead of calling what is not to be called."""
        name = request.url.host
        refused: httpx.ConnectError | httpx.ConnectTimeout | None = None
        for address in await self._addresses(request):
            there = httpx.Request(
                request.method,
                request.url.copy_with(host=str(address)),
                headers=request.headers,  # Host among them
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": name},
            )
            try:
                return await self._http.handle_async_request(there)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:  # nothing was sent: the next may take it
                refused = error
        raise refused or httpx.ConnectError("the name has no address", request=request)

    @override
    async def aclose(self) -> None:
        await self._http.aclose()

    async def _addresses(self, request: httpx.Request) -> Sequence[Address]:
        try:
            async with asyncio.timeout(request.extensions.get("timeout", {}).get("connect")):
                return await self._guard.addresses(str(request.url))
        except TimeoutError:
            raise httpx.ConnectTimeout("the name has no address yet", request=request) from None
        except OSError as error:
            raise httpx.ConnectError("the name has no address", request=request) from error


def trusted_by(ca_file: Path | None) -> ssl.SSLContext:
    """The authorities of a file (PEM), or else the usual ones.

    Raises:
        ConfigurationError: the file cannot be read.
    """
    if ca_file is None:
        return httpx.create_ssl_context(trust_env=False)
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except OSError as error:  # SSLError among them
        raise ConfigurationError(f"OUTGOING_CA_FILE: {ca_file} holds no certificates: {error.strerror}") from None


def guarded_client(guard: OutgoingGuard, trusted: ssl.SSLContext, timeout: httpx.Timeout) -> httpx.AsyncClient:
    """The client for callers' URLs: no redirects, for the next address is chosen by nobody; no proxies and passwords
    from the environment; no cookies; no compression, for a small answer must not become a large one."""
    return httpx.AsyncClient(
        transport=GuardedTransport(guard, trusted),
        trust_env=False,
        follow_redirects=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        timeout=timeout,
        headers={"connection": "close", "accept-encoding": "identity", "user-agent": "neuroglia-api-gateway"},
    )
