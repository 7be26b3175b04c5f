"""Which addresses are called for a caller."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given, strategies as st

from api_gateway.integration.clients.addresses import may_be_called

LOOPBACK = [ip_network("127.0.0.0/8")]
EVERYTHING = [ip_network("0.0.0.0/0"), ip_network("::/0")]
INSIDE = [
    "0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254", "169.254.1.1",
    "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.1.1",
    "198.51.100.1", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "fec0::1", "fc00::1", "fd12:3456::1", "ff02::1", "100::1", "2001:db8::1", "3fff::1",
    "5f00::1", "2001:2::1", "2001:10::1",
]  # fmt: skip
METADATA = [
    "169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "168.63.129.16", "192.0.0.192",
    "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fe80::a9fe:a9fe",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.63.255.255", "11.0.0.1", "2606:4700::1111", "2a00:1450:4001::1"]


def wrapped(address: IPv4Address) -> list[IPv6Address]:
    """Its ways into an IPv6 address: mapped, compatible, translated (NAT64), 6to4, Teredo."""
    value = int(address)
    return [
        IPv6Address(0xFFFF << 32 | value),
        IPv6Address(value),
        IPv6Address(int(IPv6Address("64:ff9b::")) | value),
        IPv6Address(int(IPv6Address("64:ff9b:1::")) | value),
        IPv6Address(0x2002 << 112 | value << 80 | 1),
        IPv6Address(0x20010000 << 96 | 0x08080808 << 64 | (value ^ 0xFFFFFFFF)),
    ]


@pytest.mark.parametrize("address", [*INSIDE, *METADATA])
def test_what_is_not_public_is_not_called(address: str) -> None:
    assert not may_be_called(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_called(address: str) -> None:
    assert may_be_called(ip_address(address))


@given(st.ip_addresses(v=4))
def test_an_address_within_another_is_never_public(address: IPv4Address) -> None:
    assert not any(map(may_be_called, wrapped(address)))


@pytest.mark.parametrize("address", [*INSIDE, *METADATA])
def test_a_network_of_the_settings_does_not_open_another(address: str) -> None:
    assert may_be_called(ip_address(address), LOOPBACK) == address.startswith("127.")


@pytest.mark.parametrize("address", METADATA)
def test_a_cloud_s_metadata_has_to_be_wanted_by_its_very_address(address: str) -> None:
    assert not may_be_called(ip_address(address), EVERYTHING)
    assert may_be_called(ip_address(address), [ip_network(address)])


def test_even_where_all_is_allowed_metadata_is_not_reached_in_disguise() -> None:
    assert not any(may_be_called(address, EVERYTHING) for address in wrapped(IPv4Address("169.254.169.254")))


def test_translated_public_addresses_are_called_where_the_network_translates() -> None:
    translating = [ip_network("64:ff9b::/96")]

    assert may_be_called(ip_address("64:ff9b::8.8.8.8"), translating)
    assert not may_be_called(ip_address("64:ff9b::10.0.0.1"), translating)


def test_an_address_of_one_of_our_own_interfaces_is_not_called() -> None:
    assert not may_be_called(IPv6Address("2606:4700::1111%eth0"), EVERYTHING)
