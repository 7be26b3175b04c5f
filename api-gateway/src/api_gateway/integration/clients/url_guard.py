"""The one guard of all URLs that callers choose: what may be called is decided here and nowhere else."""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, Self

from api_gateway.integration.clients.addresses import Address, Network, may_be_called
from api_gateway.integration.ports import UrlRefused
from neuroglia.core import ConfigurationError

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a name, in the order in which they are to be tried. Raises OSError when there are none."""

_LONGEST: Final = 2048
_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?:[/?#][a-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*)?",
    re.ASCII | re.IGNORECASE,
)
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_LAST_LABEL: Final = re.compile(r"[a-z][a-z0-9-]*", re.ASCII)
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class OutgoingRules:
    """What may be called. By default: https, its own port, public addresses, any host.

    Attributes:
        allow_http: whether http is as good as https.
        hosts: the only hosts that are called, if there are any; `.example.com` stands for all below it.
        ports: the ports that are called besides the scheme's own.
        networks: those that are called although they are not public.
    """

    allow_http: bool = False
    hosts: frozenset[str] = frozenset()
    ports: tuple[range, ...] = ()
    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, *, allow_http: bool, hosts: Sequence[str], ports: Sequence[str], networks: Sequence[str]) -> Self:
        """The rules from what was written in the settings: ports as `443` or `8000-8999`.

        Raises:
            ConfigurationError: it is not written like that.
        """
        try:
            read = [(int(first), int(last or first)) for first, _, last in (port.partition("-") for port in ports)]
            return cls(
                allow_http=allow_http,
                hosts=frozenset(host.lower() for host in hosts),
                ports=tuple(range(first, last + 1) for first, last in read),
                networks=tuple(ip_network(network) for network in networks),
            )
        except ValueError as error:
            raise ConfigurationError(f"OUTGOING_PORTS or OUTGOING_ALLOWED_NETWORKS: {error}; correct it") from None


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads. `address`: the host, if it is one and no name."""

    host: str
    port: int
    address: Address | None


async def ask_dns(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, as this machine sees them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class OutgoingGuard:
    """Stands before every call to a URL that a caller chose: here when it is stored, and in the transport when it is
    called."""

    def __init__(self, rules: OutgoingRules, resolve: Resolver = ask_dns) -> None:
        self._rules = rules
        self._resolve = resolve

    def check(self, url: str) -> None:
        self.target(url)

    def target(self, url: str) -> Target:
        """Where a URL leads, from its text alone.

        Raises:
            UrlRefused: it is never called.
        """
        if len(url) > _LONGEST or (read := _URL.fullmatch(url)) is None:
            raise UrlRefused("It has to be written as https://host/path, in ASCII, without a user's name.")
        scheme, host = read["scheme"].lower(), read["host"].lower()
        if scheme == "http" and not self._rules.allow_http:
            raise UrlRefused("It has to be https.")
        port = int(read["port"] or _PORTS[scheme])
        if port != _PORTS[scheme] and not any(port in ports for ports in self._rules.ports):
            raise UrlRefused("Its port is not called from here.")
        address = _literal(host)
        if address is None and not _is_name(host):
            raise UrlRefused("Its host is neither a name nor an address in its usual form.")
        if self._rules.hosts and not self._is_listed(host):
            raise UrlRefused("Its host is not among those that are called from here.")
        if address is not None and not may_be_called(address, self._rules.networks):
            raise UrlRefused("Its host has no public address.")
        return Target(host.strip("[]"), port, address)

    async def addresses(self, url: str) -> Sequence[Address]:
        """Where to connect to, now. Whoever calls has to connect to one of these, and not to ask for the name again.

        Raises:
            UrlRefused: it is not called: one of its addresses is not public.
            OSError: its name has no address now.
        """
        target = self.target(url)
        if target.address is not None:
            return [target.address]
        found = [ip_address(address) for address in await self._resolve(target.host, target.port)]
        if not all(may_be_called(address, self._rules.networks) for address in found):
            raise UrlRefused("Its host has no public address.")
        return found

    def _is_listed(self, host: str) -> bool:
        return any(host == listed or (listed[:1] == "." and host.endswith(listed)) for listed in self._rules.hosts)


def _literal(host: str) -> Address | None:
    try:
        return IPv6Address(host[1:-1]) if host.startswith("[") else IPv4Address(host)
    except AddressValueError:
        return None


def _is_name(host: str) -> bool:
    """Whether no system reads it as a number: 0x7f.1, 017700000001 and 2130706433 are addresses for some."""
    labels = host.split(".")
    return len(host) <= 253 and all(map(_LABEL.fullmatch, labels)) and _LAST_LABEL.fullmatch(labels[-1]) is not None
