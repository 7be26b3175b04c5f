"""Which URLs are called for a caller, from their text and from what their names resolve to."""

from collections.abc import Sequence

import pytest

from api_gateway.integration.clients.url_guard import OutgoingGuard, OutgoingRules
from api_gateway.integration.ports import UrlRefused
from neuroglia.core import ConfigurationError

OPEN = OutgoingRules.of(allow_http=True, hosts=[], ports=["1-65535"], networks=["127.0.0.0/8"])
BAD = [
    # other schemes, and no URLs at all
    "", "x", "//example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "https:example.com",
    "https:/example.com", "https:///example.com", "https://", "javascript:alert(1)", "data:text/plain,x", "http://",
    "unix:///run/docker.sock", "https+unix://%2Frun%2Fdocker.sock/",
    # who would be somebody
    "https://user@example.com/", "https://user:pass@example.com/", "https://@example.com/",
    "https://example.com@127.0.0.1/", "https://example.com:443@10.0.0.1/", "https://10.0.0.1\\@example.com/",
    # numbers in other clothes
    "https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.1/", "https://017700000001/", "https://0177.0.0.1/",
    "https://127.1/", "https://127.0.1/", "https://0/", "https://127.0.0.01/", "https://127.0.0.1./",
    "https://127.0.0.0x1/", "https://example.0x7f/", "https://1.2.3.4.5/", "https://256.0.0.1/", "https://300.1/",
    "https://%31%32%37.0.0.1/", "https://①②⑦.⓪.⓪.①/", "https://127。0。0。1/", "https://\uff11\uff12\uff17.0.0.1/",
    # IPv6
    "https://::1/", "https://[::1/", "https://::1]/", "https://[::1%25eth0]/", "https://[fe80::1%eth0]/",
    "https://[v1.x]/", "https://[127.0.0.1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://[::]/",
    "https://[2001:0:808:808:0:0:80ff:fffe]/", "https://[::1]:443/", "https://[fd00:ec2::254]/",
    # names that end or begin strangely
    "https://example.com./", "https://.example.com/", "https://example..com/", "https://-example.com/",
    "https://example.com-/", "https://ex ample.com/", "https://example.com\t/", "https://example.com\n/",
    "https://example.com\r\nHost: inside/", "https://example.com\x00/", "https://exämple.com/", "https://ﬁle.com/",
    "https://" + "a" * 64 + ".com/", "https://" + "a." * 127 + "com/", "https://example.com/" + "a" * 2048,
    # ports
    "https://example.com:0x1bb/", "https://example.com:-1/", "https://example.com:999999/", "https://example.com:/",
    "https://example.com:443:80/", "https://example.com:٤٤٣/",
    # parsers that disagree
    "https://example.com\\.inside/", "https:\\\\example.com/", "https://example.com#@inside/\u2028", " https://x.com/",
    "https://example.com/ /", "https://example.com|inside/", "https://[example.com]/", "https://exa%2emple.com/",
]  # fmt: skip
INSIDE = [
    "https://127.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/latest/meta-data/", "https://192.168.0.1/",
    "https://0.0.0.0/", "https://100.64.0.1/", "https://[::1]/", "https://[fd00::1]/", "https://[fe80::1]/",
    "https://255.255.255.255/",
]  # fmt: skip
GOOD = [
    "https://example.com", "https://example.com/", "https://EXAMPLE.com/a/b?c=d&e=%20#f", "https://example.com:443/",
    "https://8.8.8.8/x", "https://[2606:4700::1111]/x", "https://xn--exmple-cua.com/", "https://a-b.c_d.example.com/?",
    "https://x", "https://1.example.com/",
]  # fmt: skip


def resolves_to(*addresses: str) -> OutgoingGuard:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return OutgoingGuard(OPEN, resolve)


@pytest.mark.parametrize("url", [*BAD, *INSIDE])
def test_what_leads_inside_or_is_not_plainly_written_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused):
        OutgoingGuard(OutgoingRules()).check(url)


@pytest.mark.parametrize("url", BAD)
def test_what_is_not_plainly_written_is_refused_even_where_much_is_allowed(url: str) -> None:
    with pytest.raises(UrlRefused):
        OutgoingGuard(OPEN).check(url)


@pytest.mark.parametrize("url", GOOD)
def test_plain_urls_are_called(url: str) -> None:
    OutgoingGuard(OutgoingRules()).check(url)


@pytest.mark.parametrize("url", ["http://example.com/", "https://example.com:22/", "https://example.com:8443/"])
def test_http_and_other_ports_need_a_setting(url: str) -> None:
    OutgoingGuard(OPEN).check(url)
    with pytest.raises(UrlRefused):
        OutgoingGuard(OutgoingRules()).check(url)


def test_a_listed_network_opens_itself_alone() -> None:
    guard = OutgoingGuard(OPEN)

    guard.check("http://127.0.0.1:8000/")
    for url in ("http://10.0.0.1/", "http://[::1]/", "http://169.254.169.254/", "http://[::ffff:127.0.0.1]/"):
        with pytest.raises(UrlRefused):
            guard.check(url)


@pytest.mark.parametrize(
    ("host", "called"),
    [
        ("hooks.example.com", True), ("HOOKS.example.com", True), ("example.com", False), ("a.partner.example", True),
        ("partner.example", False), ("evil-partner.example", False), ("hooks.example.com.evil.com", False),
        ("8.8.8.8", False),
    ],
)  # fmt: skip
def test_a_list_of_hosts_excludes_all_others(host: str, called: bool) -> None:
    rules = OutgoingRules.of(allow_http=False, hosts=["hooks.example.com", ".partner.example"], ports=[], networks=[])
    guard = OutgoingGuard(rules)

    if called:
        guard.check(f"https://{host}/")
    else:
        with pytest.raises(UrlRefused):
            guard.check(f"https://{host}/")


@pytest.mark.parametrize(
    "addresses",
    [
        ["10.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["8.8.8.8", "::1"], ["169.254.169.254"], ["::ffff:10.0.0.1"],
        ["64:ff9b::a00:1"], ["fe80::1%eth0"], ["2606:4700::1111", "fd00:ec2::254"],
    ],
)  # fmt: skip
async def test_a_name_is_not_called_if_one_of_its_addresses_is_not(addresses: list[str]) -> None:
    with pytest.raises(UrlRefused):
        await resolves_to(*addresses).addresses("https://example.com/")


async def test_a_name_is_called_by_its_addresses() -> None:
    found = await resolves_to("8.8.8.8", "127.0.0.1", "2606:4700::1111").addresses("https://example.com/")

    assert [str(address) for address in found] == ["8.8.8.8", "127.0.0.1", "2606:4700::1111"]


@pytest.mark.parametrize(
    "told", [{"ports": ["x"]}, {"ports": ["1-x"]}, {"networks": ["here"]}, {"networks": ["10.0.0.1/8"]}]
)
def test_rules_that_cannot_be_read_stop_the_start(told: dict[str, list[str]]) -> None:
    with pytest.raises(ConfigurationError):
        OutgoingRules.of(**{"allow_http": False, "hosts": [], "ports": [], "networks": [], **told})  # type: ignore[arg-type]
