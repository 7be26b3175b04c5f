"""Which addresses may be called for a caller. The others are the gateway's own neighbourhood, or nobody's."""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NOT_PUBLIC: Final = tuple(
    ip_network(network)
    for network in (
        # the special-purpose registries of IANA (RFC 6890), and multicast; for IPv6 see _GLOBAL
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
    )
)  # fmt: skip
_GLOBAL: Final = IPv6Network("2000::/3")
_NAT64: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE: Final = IPv6Network("::/96")
_BY_NAME_ALONE: Final = tuple(
    ip_network(network)
    for network in (
        # where clouds tell a machine its credentials: one has to want exactly these
        "169.254.0.0/16", "fe80::/10", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32",
        "fd00:ec2::/32", "fd20:ce::/32", "fd00:42::42/128",
    )
)  # fmt: skip


def may_be_called(address: Address, allowed: Collection[Network] = ()) -> bool:
    """Whether an address is public, or of an allowed network. Where a cloud keeps its metadata is neither public nor
    allowed by a larger network: only as a network of this one address. An IPv4 address inside an IPv6 one (mapped,
    translated or tunnelled) has to be good as well."""
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return False
        if inner := _inside(address):
            return _is_in(address, allowed) and all(may_be_called(one, allowed) for one in inner)
    if _is_in(address, _BY_NAME_ALONE):
        return ip_network(address) in allowed
    return _is_public(address) or _is_in(address, allowed)


def _is_public(address: Address) -> bool:
    return not _is_in(address, _NOT_PUBLIC) and (isinstance(address, IPv4Address) or address in _GLOBAL)


def _is_in(address: Address, networks: Collection[Network]) -> bool:
    return any(address in network for network in networks)


def _inside(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses where a packet to this one may end."""
    if address.teredo is not None:
        return address.teredo
    if (inner := address.ipv4_mapped or address.sixtofour) is not None:
        return (inner,)
    if (address in _COMPATIBLE and int(address) > 1) or _is_in(address, _NAT64):
        return (IPv4Address(int(address) & 0xFFFF_FFFF),)
    return ()
