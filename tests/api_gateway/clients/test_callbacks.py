"""Callbacks over real sockets: signed, delivered once, and what each answer means."""

import asyncio
import base64
import hashlib
import hmac
import json
import stat
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import create_server
from typing import Any

import httpx
import pytest
from hypothesis import given, strategies as st

from api_gateway.integration.clients.callbacks import HttpCallbacks
from api_gateway.integration.clients.guarded_transport import guarded_client, trusted_by
from api_gateway.integration.clients.signatures import CallbackSecrets
from api_gateway.integration.clients.url_guard import OutgoingGuard, OutgoingRules
from api_gateway.integration.ports import CallbackFailed, CallbackRefused, UrlRefused
from api_gateway.integration.repositories.callback_secret import callback_masters
from deployment.demo.verification import verify_callback
from neuroglia.core import ConfigurationError, RequestContext, use_context
from neuroglia.documents.attempts import back_off
from neuroglia.testing import FixedClock
from tests.api_gateway.clients.servers import Handler, LoopbackServer, answer, never_ends, says, server, silence

OLD, NEW = b"o" * 32, b"n" * 32
SECRETS = CallbackSecrets([NEW])
BODY = json.dumps({"prompt_id": "p-1", "response": {"text": "hé"}}).encode()
NOW = FixedClock().now()
TIMEOUT = httpx.Timeout(5)
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
RULES = OutgoingRules.of(allow_http=True, hosts=[], ports=["1024-65535"], networks=["127.0.0.1"])


@asynccontextmanager
async def receiver(handle: Handler, timeout_s: float = 5) -> AsyncGenerator[tuple[LoopbackServer, HttpCallbacks]]:
    async with (
        server(handle) as there,
        guarded_client(OutgoingGuard(RULES), trusted_by(None), httpx.Timeout(timeout_s)) as http,
    ):
        yield there, HttpCallbacks(http, SECRETS, FixedClock())


async def deliver(callbacks: HttpCallbacks, url: str) -> None:
    await callbacks.deliver(url, BODY, id="p-1", caller_id="partner", attempt=3)


@pytest.mark.integration
@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_a_callback_that_is_taken_is_delivered_and_can_be_verified(status: int) -> None:
    async with receiver(says(answer(status))) as (there, callbacks):
        await deliver(callbacks, f"{there.url}/hook?x=y")

    asked = there.asked[0]
    assert (asked.line, asked.body) == ("POST /hook?x=y HTTP/1.1", BODY)
    assert asked.headers["content-type"] == "application/json"
    assert (asked.headers["webhook-id"], asked.headers["webhook-attempt"]) == ("p-1", "3")
    assert verify_callback(asked.headers, asked.body, SECRETS.of("partner"), now=NOW.timestamp())


@pytest.mark.integration
async def test_a_callback_belongs_to_the_trace_of_its_prompt_and_else_to_none() -> None:
    async with receiver(says(answer(204))) as (there, callbacks):
        await deliver(callbacks, there.url)
        with use_context(RequestContext(correlation_id="c", traceparent=TRACEPARENT)):
            await deliver(callbacks, there.url)

    alone, traced = there.asked
    assert "traceparent" not in alone.headers
    assert traced.headers["traceparent"] == TRACEPARENT
    assert verify_callback(traced.headers, traced.body, SECRETS.of("partner"), now=NOW.timestamp())


@pytest.mark.integration
@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 403, 404, 405, 409, 410, 413, 422])
async def test_what_says_no_is_not_asked_again(status: int) -> None:
    async with receiver(says(answer(status, location="http://169.254.169.254/"))) as (there, callbacks):
        with pytest.raises(CallbackRefused, match=str(status)):
            await deliver(callbacks, there.url)

    assert there.visits == 1


@pytest.mark.integration
@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_what_says_later_is_asked_later(status: int) -> None:
    async with receiver(says(answer(status, retry_after="40"))) as (there, callbacks):
        with pytest.raises(CallbackFailed, match=str(status)) as failed:
            await deliver(callbacks, there.url)

    assert (failed.value.asked, there.visits) == (40, 1)


def test_who_wants_to_be_left_alone_is_for_so_long() -> None:
    assert back_off(1, CallbackFailed("503", retry_after=40), first=0.1, longest=1) == 40
    assert back_off(1, CallbackFailed("503"), first=0.1, longest=1) < 40


@pytest.mark.integration
@pytest.mark.parametrize(
    "manner", [silence, says(), says(b"nonsense\r\n\r\n"), never_ends(b"HTTP/1.1 200 So\r\n", b"a: b\r\n")]
)
async def test_what_does_not_answer_is_asked_later(manner: Handler) -> None:
    async with receiver(manner, timeout_s=0.3) as (there, callbacks):
        with pytest.raises(CallbackFailed):
            await deliver(callbacks, there.url)


@pytest.mark.integration
async def test_an_answer_that_drips_is_not_waited_for() -> None:
    dripping = never_ends(b"HTTP/1.1 200 So\r\n", b"a: b\r\n", 0.05)
    async with server(dripping) as there, guarded_client(OutgoingGuard(RULES), trusted_by(None), TIMEOUT) as http:
        with pytest.raises(CallbackFailed, match="TimeoutError"):
            await deliver(HttpCallbacks(http, SECRETS, FixedClock(), seconds=0.5), there.url)


@pytest.mark.integration
async def test_where_nobody_listens_is_asked_later() -> None:
    with closing(create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    async with receiver(says()) as (_, callbacks):
        with pytest.raises(CallbackFailed):
            await deliver(callbacks, f"http://127.0.0.1:{port}/")


@pytest.mark.integration
async def test_an_answer_without_end_is_not_read() -> None:
    async with receiver(never_ends(b"HTTP/1.1 200 So\r\n\r\n", b"x" * 65536)) as (there, callbacks):
        async with asyncio.timeout(10):
            await deliver(callbacks, there.url)


@pytest.mark.integration
async def test_what_is_inside_is_not_called() -> None:
    async with receiver(says(answer(200))) as (there, callbacks):
        for url in (f"http://127.0.0.2:{there.port}/", "http://169.254.169.254/", "http://[::1]/", "ftp://x/"):
            with pytest.raises(UrlRefused):
                await deliver(callbacks, url)

    assert there.visits == 0


@given(st.binary(max_size=200), st.text(min_size=1, max_size=20))
def test_what_is_signed_for_one_caller_is_verified_by_it_and_by_no_other(body: bytes, caller: str) -> None:
    headers = SECRETS.headers("p-1", caller, body, NOW)

    assert verify_callback(headers, body, SECRETS.of(caller), now=NOW.timestamp())
    assert not verify_callback(headers, body, SECRETS.of(caller + "2"), now=NOW.timestamp())
    assert not verify_callback(headers, body + b" ", SECRETS.of(caller), now=NOW.timestamp())


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "p-2"}, {"webhook-timestamp": str(int(NOW.timestamp()) + 1)}, {"webhook-timestamp": "soon"},
        {"webhook-timestamp": ""}, {"webhook-signature": ""}, {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,é"}, {"webhook-signature": "v1,AAAA v1,BBBB"}, {"webhook-timestamp": "nan"},
    ],
)  # fmt: skip
def test_what_was_changed_on_the_way_is_not_believed(changed: dict[str, str]) -> None:
    headers = {**SECRETS.headers("p-1", "partner", BODY, NOW), **changed}

    assert not verify_callback(headers, BODY, SECRETS.of("partner"), now=NOW.timestamp())


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_what_is_not_signed_is_not_believed(name: str) -> None:
    headers = {key: value for key, value in SECRETS.headers("p-1", "partner", BODY, NOW).items() if key != name}

    assert not verify_callback(headers, BODY, SECRETS.of("partner"), now=NOW.timestamp())


def test_another_version_of_the_scheme_is_passed_over() -> None:
    headers = dict(SECRETS.headers("p-1", "partner", BODY, NOW))
    mark = headers["webhook-signature"].removeprefix("v1,")

    assert not verify_callback(
        {**headers, "webhook-signature": f"v2,{mark}"}, BODY, SECRETS.of("partner"), now=NOW.timestamp()
    )
    assert verify_callback(
        {**headers, "webhook-signature": f"v9,x v1,{mark}"}, BODY, SECRETS.of("partner"), now=NOW.timestamp()
    )


@pytest.mark.parametrize(("seconds", "believed"), [(0, True), (299, True), (-299, True), (301, False), (-301, False)])
def test_a_callback_of_long_ago_is_not_believed(seconds: int, believed: bool) -> None:
    headers = SECRETS.headers("p-1", "partner", BODY, NOW + timedelta(seconds=seconds))

    assert verify_callback(headers, BODY, SECRETS.of("partner"), now=NOW.timestamp()) == believed


def test_while_a_secret_is_replaced_both_are_good() -> None:
    before, meanwhile, after = CallbackSecrets([OLD]), CallbackSecrets([NEW, OLD]), CallbackSecrets([NEW])
    headers = meanwhile.headers("p-1", "partner", BODY, NOW)

    assert verify_callback(headers, BODY, before.of("partner"), now=NOW.timestamp())
    assert verify_callback(headers, BODY, after.of("partner"), now=NOW.timestamp())
    assert meanwhile.of("partner") == after.of("partner") != before.of("partner")


def test_the_signature_is_that_of_the_standard() -> None:
    headers = SECRETS.headers("msg_1", "partner", b"{}", NOW)
    key = base64.b64decode(SECRETS.of("partner").removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(key, f"msg_1.{int(NOW.timestamp())}.{{}}".encode(), hashlib.sha256))

    assert (len(key), headers["webhook-signature"]) == (32, f"v1,{expected.decode()}")


def test_the_ten_lines_of_the_page_tell_the_same() -> None:
    page = Path(__file__).parents[3] / "docs" / "callbacks.md"
    code = page.read_text().split("```python\n")[1].split("```")[0]
    told: dict[str, Any] = {}
    exec(code, told)
    believes = told["is_from_the_gateway"]
    headers = dict(CallbackSecrets([NEW, OLD]).headers("p-1", "partner", BODY, datetime.now(UTC)))
    late = CallbackSecrets([NEW]).headers("p-1", "partner", BODY, datetime.now(UTC) - timedelta(seconds=400))

    assert len(code.split("def ")[1].strip().splitlines()) <= 10
    for master in (NEW, OLD):
        assert believes(headers, BODY, CallbackSecrets([master]).of("partner"))
    assert not believes(headers, BODY, SECRETS.of("somebody else"))
    assert not believes(headers, BODY + b" ", SECRETS.of("partner"))
    assert not believes({**headers, "webhook-id": "p-2"}, BODY, SECRETS.of("partner"))
    assert not believes({**headers, "webhook-signature": "v1, v1,é"}, BODY, SECRETS.of("partner"))
    assert not believes(late, BODY, SECRETS.of("partner"))
    assert not believes({}, BODY, SECRETS.of("partner"))


def test_without_a_setting_a_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "data" / "callback-secret"

    first, second = callback_masters((), file), callback_masters((), file)

    assert first == second != callback_masters((), tmp_path / "other")
    assert len(first[0]) >= 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["callback-secret"]


def test_what_is_told_is_used_and_must_not_be_short(tmp_path: Path) -> None:
    assert callback_masters(["n" * 32, "o" * 32], tmp_path / "x") == [NEW, OLD]
    assert not (tmp_path / "x").exists()
    for bad in (["short"], ["n" * 32, ""]):
        with pytest.raises(ConfigurationError, match="CALLBACK_SECRET"):
            callback_masters(bad, tmp_path / "x")


def test_a_file_that_is_no_secret_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    for file in (tmp_path / "empty", tmp_path / "empty" / "below"):
        with pytest.raises(ConfigurationError, match="CALLBACK_SECRET"):
            callback_masters((), file)
