"""Calls to where callers want it, over real sockets: only what was looked at is connected to."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from api_gateway.integration.clients.guarded_transport import guarded_client, trusted_by
from api_gateway.integration.clients.url_guard import OutgoingGuard, OutgoingRules
from api_gateway.integration.ports import UrlRefused
from neuroglia.core import ConfigurationError
from tests.api_gateway.clients.certificates import certificate_for
from tests.api_gateway.clients.servers import LoopbackServer, answer, says, server, stays

pytestmark = pytest.mark.integration
OURS, INSIDE = "127.0.0.2", "127.0.0.1"
"""Two machines, as far as the guard is concerned."""


class ChangingNames:
    """A name server that answers differently each time, and the last for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def client(names: ChangingNames, ca_file: Path | None = None, networks: Sequence[str] = (OURS,)) -> httpx.AsyncClient:
    rules = OutgoingRules.of(allow_http=True, hosts=[], ports=["1024-65535"], networks=networks)
    return guarded_client(OutgoingGuard(rules, names), trusted_by(ca_file), httpx.Timeout(5))


@asynccontextmanager
async def two_servers() -> AsyncGenerator[tuple[LoopbackServer, LoopbackServer]]:
    """The one that may be called, and one inside at the same port."""
    async with server(says(answer(200)), OURS) as ours, server(says(answer(200)), INSIDE, ours.port) as inside:
        yield ours, inside


async def test_what_is_allowed_is_reached_under_its_name() -> None:
    async with server(says(answer(200, b"here")), OURS) as there, client(ChangingNames([OURS])) as http:
        answered = await http.get(f"http://hooks.example:{there.port}/x?y=z")

    assert (answered.status_code, answered.text) == (200, "here")
    assert there.asked[0].line == "GET /x?y=z HTTP/1.1"
    assert there.asked[0].headers["host"] == f"hooks.example:{there.port}"


@pytest.mark.parametrize("second", [[INSIDE], [OURS, INSIDE], [INSIDE, OURS]])
async def test_a_name_that_changes_behind_the_check_leads_nowhere(second: list[str]) -> None:
    names = ChangingNames([OURS], second)
    async with two_servers() as (ours, inside), client(names) as http:
        await http.get(f"http://hooks.example:{ours.port}/")
        with pytest.raises(UrlRefused):
            await http.get(f"http://hooks.example:{ours.port}/")

    assert (ours.visits, inside.visits, names.asked) == (1, 0, 2)


async def test_a_name_is_asked_for_once_a_call_so_that_nothing_can_change_between() -> None:
    names = ChangingNames([OURS], [INSIDE])
    async with two_servers() as (ours, inside), client(names) as http:
        assert (await http.get(f"http://hooks.example:{ours.port}/")).status_code == 200

    assert (ours.visits, inside.visits, names.asked) == (1, 0, 1)


@pytest.mark.parametrize("host", [INSIDE, "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]", "[::ffff:127.0.0.2]"])
async def test_a_server_inside_is_not_reached_however_it_is_written(host: str) -> None:
    names = ChangingNames([INSIDE])
    async with server(says(answer(200)), INSIDE) as inside, client(names) as http:
        with pytest.raises(UrlRefused):
            await http.get(f"http://{host}:{inside.port}/")

    assert inside.visits == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_shown_and_not_followed(status: int) -> None:
    async with server(says(answer(200)), INSIDE) as inside:
        to = answer(status, location=f"{inside.url}/")
        async with server(says(to), OURS) as ours, client(ChangingNames([OURS])) as http:
            answered = await http.get(f"http://hooks.example:{ours.port}/")

    assert (answered.status_code, inside.visits) == (status, 0)


async def test_the_next_address_is_tried_when_nobody_listens_at_the_first() -> None:
    names = ChangingNames(["127.0.0.3", OURS])
    async with server(says(answer(200)), OURS) as there, client(names, networks=[OURS, "127.0.0.3"]) as http:
        answered = await http.post(f"http://hooks.example:{there.port}/", content=b"once")

    assert (answered.status_code, there.asked[0].body) == (200, b"once")


async def test_ipv6_is_reached_and_looked_at_in_the_same_way() -> None:
    async with server(says(answer(200)), "::1") as there:
        async with client(ChangingNames(["::1"]), networks=["::1"]) as http:
            for host in ("hooks.example", "[::1]", "[0:0:0:0:0:0:0:1]"):
                assert (await http.get(f"http://{host}:{there.port}/")).status_code == 200
        async with client(ChangingNames(["::1"])) as http:
            for host in ("hooks.example", "[::1]", "[0:0:0:0:0:0:0:1]"):
                with pytest.raises(UrlRefused):
                    await http.get(f"http://{host}:{there.port}/")

    assert there.visits == 3


async def test_a_certificate_has_to_be_for_the_name_and_not_for_the_address(tmp_path: Path) -> None:
    tls, trusted = certificate_for("hooks.example", tmp_path)
    names = ChangingNames([OURS])
    async with server(says(answer(200)), OURS, tls=tls) as there, client(names, trusted) as http:
        assert (await http.get(f"https://hooks.example:{there.port}/")).status_code == 200
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await http.get(f"https://other.example:{there.port}/")
    async with server(says(answer(200)), OURS, tls=tls) as there, client(names) as http:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await http.get(f"https://hooks.example:{there.port}/")


async def test_a_connection_that_was_made_for_one_name_is_not_used_for_another(tmp_path: Path) -> None:
    tls, trusted = certificate_for("hooks.example", tmp_path)
    async with server(stays, OURS, tls=tls) as there, client(ChangingNames([OURS]), trusted) as http:
        for _ in range(2):
            assert (await http.get(f"https://hooks.example:{there.port}/")).status_code == 202
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await http.get(f"https://other.example:{there.port}/")

    assert there.visits == 2  # each with a connection of its own


async def test_nothing_of_the_environment_changes_the_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine hooks.example login ours password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    async with server(says(answer(200)), INSIDE) as proxy, server(says(answer(200)), OURS) as there:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv(name.lower(), proxy.url)
        async with client(ChangingNames([OURS])) as http:
            await http.get(f"http://hooks.example:{there.port}/")

    assert (there.visits, proxy.visits) == (1, 0)
    assert "authorization" not in there.asked[0].headers


async def test_cookies_are_not_kept() -> None:
    with_cookie = says(answer(200, set_cookie="a=b; Path=/"))
    async with server(with_cookie, OURS) as there, client(ChangingNames([OURS])) as http:
        for _ in range(2):
            await http.get(f"http://hooks.example:{there.port}/")

    assert [asked.headers.get("cookie") for asked in there.asked] == [None, None]


async def test_a_name_without_an_address_is_no_connection() -> None:
    async def nobody(host: str, port: int) -> Sequence[str]:
        raise OSError("unknown")

    guard = OutgoingGuard(OutgoingRules(), nobody)
    async with guarded_client(guard, trusted_by(None), httpx.Timeout(5)) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get("https://hooks.example/")


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_file_of_certificates_that_is_none_stops_the_start(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_bytes(content)
    with pytest.raises(ConfigurationError, match="OUTGOING_CA_FILE"):
        trusted_by(tmp_path / "ca.pem")
