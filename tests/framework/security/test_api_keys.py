"""API keys: what is kept of them, whom they let in, and for how long."""

import asyncio
import hmac
import logging
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import example, given, strategies as st

from neuroglia.core import ConcurrencyError, ConfigurationError, InvalidRequest, NotFoundError
from neuroglia.documents import Find, Session
from neuroglia.documents.types import DocumentType
from neuroglia.hosting import ServiceSettings, WebApplicationBuilder
from neuroglia.idempotency import IdempotencyRecord
from neuroglia.security.api_keys import ApiKey, IssuedKey
from neuroglia.security.api_keys.service import KeyNotRotatable
from neuroglia.testing import FixedClock, Tokens, running
from tests.framework.security.conftest import ThingsController
from tests.framework.security.keyring import DAY, Keyring, builder, documents_of, in_memory, keyring_in_memory, opened

HOUR = timedelta(hours=1)
UNKNOWN = f"{'0' * 16}.{'A' * 43}"


@pytest.fixture(params=["memory", "files"])
async def keyring(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Keyring]:
    clock = FixedClock()
    made = builder(clock, data_dir=tmp_path)
    async with opened(in_memory(made) if request.param == "memory" else made, clock) as keyring:
        yield keyring


def refused(answer: httpx.Response) -> dict[str, Any]:
    """What every key that is not good is told, the same one for all."""
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "ApiKey")
    told: dict[str, Any] = answer.json()
    assert told.pop("correlation_id")
    return told


def files_in(folder: Path) -> list[str]:
    return [file.read_bytes().decode("latin-1") for file in folder.iterdir()]


async def test_a_key_lets_its_caller_in(keyring: Keyring) -> None:
    key = await keyring.issue(caller_id="acme", permissions=["r", "x", "r"])
    answer = await keyring.shows(key.secret)

    assert answer.status_code == 200
    assert answer.json() == {
        "id": "key:acme", "scopes": ["r", "x"], "caller_id": "acme", "key_id": key.id, "rate_limit": "60/minute",
    }  # fmt: skip
    assert re.fullmatch(r"[0-9a-f]{16}\.[\w-]{43}", key.secret)
    assert key.secret.startswith(f"{key.id}.")


async def test_no_two_keys_are_alike(keyring: Keyring) -> None:
    keys = [await keyring.issue() for _ in range(20)]

    assert len({key.id for key in keys}) == len({key.secret.partition(".")[2] for key in keys}) == 20


async def test_a_permission_that_a_key_has_not_is_403(keyring: Keyring) -> None:
    answer = await keyring.shows((await keyring.issue()).secret, path="/writers")

    assert answer.status_code == 403
    assert answer.headers["www-authenticate"] == 'ApiKey error="insufficient_scope", scope="w"'


async def test_all_that_is_not_good_is_told_the_same(keyring: Keyring) -> None:
    key, other = await keyring.issue(), await keyring.issue()
    revoked = await keyring.issue()
    await keyring.keys.revoke(revoked.id)
    short = await keyring.issue(expires_at=(keyring.clock.now() + DAY).isoformat())
    keyring.clock.advance(DAY)
    id, _, secret = key.secret.partition(".")
    attempts: list[str | bytes] = [
        UNKNOWN, revoked.secret, short.secret, f"{id}.{other.secret.partition('.')[2]}", f"{other.id}.{secret}",
        f"{id}.{secret[:-1]}", f"{key.secret}A", f"{id}{secret}", f"{id}.", f".{secret}", id, "", " ", ".",
        f"{id.upper()}.{secret}" if id.upper() != id else UNKNOWN, f"{key.secret}, {key.secret}", f" {key.secret}",
        f"{key.secret}\n", "x" * 100_000, "ключ".encode(), key.secret.encode().replace(b".", b"\xff"),
    ]  # fmt: skip
    told = [refused(await keyring.shows(attempt)) for attempt in attempts]

    assert all(one == told[0] for one in told)
    assert told[0]["detail"] == "The API key is not valid."
    assert await keyring.is_good(key.secret)


async def test_a_key_twice_is_refused_though_it_is_good(keyring: Keyring) -> None:
    key = await keyring.issue()

    refused(await keyring.shows(key.secret, key.secret))


@pytest.mark.service
@given(st.lists(st.binary(max_size=200), min_size=1, max_size=3))
@example([b"\x00"])
@example([b"0" * 16 + b"." + b"A" * 43])
@example([b"0" * 16 + b"." + "é".encode("latin-1") * 43])
async def test_whatever_the_header_holds_is_401(values: list[bytes]) -> None:
    async with keyring_in_memory() as keyring:
        answer = await keyring.shows(*values)

    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")


async def test_an_unknown_prefix_takes_the_same_path_as_a_wrong_secret(
    keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[int, int]] = []
    compare = hmac.compare_digest

    def noting(a: str, b: str) -> bool:
        compared.append((len(a), len(b)))
        return compare(a, b)

    monkeypatch.setattr(hmac, "compare_digest", noting)
    key = await keyring.issue()
    for text in (key.secret, f"{key.id}.{'A' * 43}", UNKNOWN):
        await keyring.shows(text)

    assert compared == [(64, 64)] * 3


async def test_it_expires_to_the_moment(keyring: Keyring) -> None:
    key = await keyring.issue(expires_at=(keyring.clock.now() + HOUR).isoformat())
    keyring.clock.advance(HOUR - timedelta(microseconds=1))
    assert await keyring.is_good(key.secret)

    keyring.clock.advance(timedelta(microseconds=1))
    assert not await keyring.is_good(key.secret)


async def test_during_the_overlap_both_secrets_are_good(keyring: Keyring) -> None:
    old = await keyring.issue()
    new = (await keyring.keys.rotate(old.id, HOUR)).secret.get_secret_value()
    assert new.partition(".")[0] == old.id
    assert [await keyring.is_good(old.secret), await keyring.is_good(new)] == [True, True]

    keyring.clock.advance(HOUR)
    assert [await keyring.is_good(old.secret), await keyring.is_good(new)] == [False, True]


async def test_a_rotation_whose_answer_was_lost_can_be_repeated(keyring: Keyring) -> None:
    old = await keyring.issue()
    await keyring.keys.rotate(old.id, HOUR)
    new = (await keyring.keys.rotate(old.id, HOUR)).secret.get_secret_value()

    assert await keyring.is_good(old.secret)
    assert await keyring.is_good(new)


async def test_without_an_overlap_all_older_secrets_end_at_once(keyring: Keyring) -> None:
    first = await keyring.issue()
    second = await keyring.keys.rotate(first.id, DAY)
    third = (await keyring.keys.rotate(first.id, timedelta())).secret.get_secret_value()

    good = [await keyring.is_good(text) for text in (first.secret, second.secret.get_secret_value(), third)]
    assert good == [False, False, True]
    assert len((await keyring.keys.page()).items[0].hashes) == 1


async def test_a_later_rotation_lengthens_no_overlap(keyring: Keyring) -> None:
    first = await keyring.issue()
    await keyring.keys.rotate(first.id, HOUR)
    await keyring.keys.rotate(first.id, DAY)
    keyring.clock.advance(HOUR)

    assert not await keyring.is_good(first.secret)


async def test_what_cannot_be_rotated(keyring: Keyring) -> None:
    key = await keyring.issue(expires_at=(keyring.clock.now() + DAY).isoformat())
    for overlap in (timedelta(seconds=-1), timedelta.max):
        with pytest.raises(InvalidRequest):
            await keyring.keys.rotate(key.id, overlap)
    for _ in range(4):
        await keyring.keys.rotate(key.id, HOUR)
    with pytest.raises(KeyNotRotatable):
        await keyring.keys.rotate(key.id, HOUR)
    await keyring.keys.rotate(key.id, timedelta())
    keyring.clock.advance(DAY)
    with pytest.raises(KeyNotRotatable):
        await keyring.keys.rotate(key.id, HOUR)
    with pytest.raises(NotFoundError):
        await keyring.keys.rotate("0" * 16, HOUR)


async def test_of_two_that_rotate_at_once_one_wins(keyring: Keyring) -> None:
    key = await keyring.issue()
    client = keyring.service.client
    answers = await asyncio.gather(*[client.post(f"/api/v1/keys/{key.id}/rotate") for _ in range(2)])

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    (winner,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert await keyring.is_good(winner["secret"])
    assert len((await keyring.keys.page()).items[0].hashes) == 2


async def test_a_rotation_never_brings_back_what_is_revoked(keyring: Keyring) -> None:
    for _ in range(10):
        key = await keyring.issue()
        done = await asyncio.gather(
            keyring.keys.rotate(key.id, HOUR), keyring.keys.revoke(key.id), return_exceptions=True
        )
        if isinstance(done[1], ConcurrencyError):  # the rotation came first: told, and repeated
            await keyring.keys.revoke(key.id)
        secrets = [key.secret, *[one.secret.get_secret_value() for one in done if isinstance(one, IssuedKey)]]

        assert not any([await keyring.is_good(secret) for secret in secrets])


@pytest.mark.service
async def test_a_revoked_key_stops_at_once_at_every_replica(tmp_path: Path) -> None:
    clock = FixedClock()
    async with (
        opened(builder(clock, data_dir=tmp_path), clock) as one,
        opened(builder(clock, data_dir=tmp_path), clock) as other,
    ):
        key = await one.issue()
        assert await other.is_good(key.secret)
        assert (await one.service.client.delete(f"/api/v1/keys/{key.id}")).status_code == 204

        assert not await other.is_good(key.secret)
        assert not await one.is_good(key.secret)
        assert (await other.service.client.delete(f"/api/v1/keys/{key.id}")).status_code == 404


@pytest.mark.service
@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"caller_id": ""}, "/caller_id"),
        ({"caller_id": "a\nb"}, "/caller_id"),
        ({"caller_id": "x" * 201}, "/caller_id"),
        ({"permissions": []}, "/permissions"),
        ({"permissions": ["a b"]}, "/permissions/0"),
        ({"permissions": ["r\n"]}, "/permissions/0"),
        ({"permissions": [""]}, "/permissions/0"),
        ({"permissions": [f"p{n}" for n in range(101)]}, "/permissions"),
        ({"rate_limit": "often"}, "/rate_limit"),
        ({"rate_limit": ""}, "/rate_limit"),
        ({"rate_limit": "60"}, "/rate_limit"),
        ({"rate_limit": "0/minute"}, "/rate_limit"),
        ({"rate_limit": "-1/minute"}, "/rate_limit"),
        ({"rate_limit": "10001/minute"}, "/rate_limit"),
        ({"rate_limit": "1/month"}, "/rate_limit"),
        ({"rate_limit": "1/second; 5/minute"}, "/rate_limit"),
        ({"rate_limit": "1/fortnight"}, "/rate_limit"),
        ({"rate_limit": "9" * 5000 + "/minute"}, "/rate_limit"),
        ({"expires_at": datetime(2025, 1, 31, 9, 30, tzinfo=UTC)}, "/expires_at"),
        ({"expires_at": datetime(2030, 1, 1)}, "/expires_at"),  # noqa: DTZ001
    ],
)
async def test_what_a_key_cannot_be(wrong: dict[str, Any], pointer: str) -> None:
    async with keyring_in_memory() as keyring:
        values = {"caller_id": "acme", "permissions": ["r"], "rate_limit": "60/minute", "expires_at": None, **wrong}
        with pytest.raises(InvalidRequest) as refusal:
            await keyring.keys.issue(**values)

        assert [error.pointer for error in refusal.value.errors] == [pointer]
        assert (await keyring.keys.page()).items == []


async def test_the_list_goes_on_page_by_page_and_shows_no_secret(keyring: Keyring) -> None:
    made = []
    for number in range(5):
        made.append((await keyring.issue(caller_id=f"c{number}")).id)
        keyring.clock.advance(HOUR)
    seen, cursor = list[str](), None
    while not seen or cursor:
        answer = await keyring.service.client.get(
            "/api/v1/keys", params={"limit": 2} | ({"cursor": cursor} if cursor else {})
        )
        seen += [item["id"] for item in answer.json()["items"]]
        cursor = answer.json()["next_cursor"]

    assert seen == made


async def test_the_secret_is_told_once_and_kept_nowhere(
    keyring: Keyring, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not in the record of an Idempotency-Key either: a repeat of the request is told asterisks."""
    with caplog.at_level(logging.DEBUG):
        client, store = keyring.service.client, await documents_of(keyring)
        once = {"json": {}, "headers": {"Idempotency-Key": "k"}}
        first, repeat = [await client.post("/api/v1/keys", **once) for _ in range(2)]
        key = first.json()
        secret: str = key["secret"]
        rotated = await keyring.keys.rotate(key["id"], HOUR)
        answers = [
            repeat,
            await client.get("/api/v1/keys"),
            await client.get("/api/v1/keys/x"),
            await keyring.shows(secret),
            await keyring.shows(secret, path="/writers"),
            await keyring.shows(secret, secret),
            await keyring.shows(f"{secret}x"),
            await client.get("/api/v1/who", headers={"X-API-Key": secret}),
        ]
        kept = [
            stored.body.decode()
            for kind in (DocumentType(ApiKey), DocumentType(IdempotencyRecord))
            for stored in await store.find(kind, Find((), (), descending=False, limit=100))
        ]
    shown = rotated.secret.get_secret_value()
    said = [repr(record.__dict__) + record.getMessage() for record in caplog.records]
    texts = [
        *[answer.text + str(answer.headers) for answer in answers],
        *kept,
        *said,
        *capfd.readouterr(),
        repr(rotated),
    ]

    assert first.status_code == 201
    assert repeat.json() == {**key, "secret": "**********"}
    assert len(kept) == 2
    assert said
    texts += files_in(tmp_path)
    for one in (secret.partition(".")[2], shown.partition(".")[2]):
        assert not [text for text in texts if one in text]
    assert not [text for text in (repr(rotated), str(rotated.key)) if rotated.key.hashes[0].hash in text]


async def test_what_was_issued_can_be_read_again_as_it_was(keyring: Keyring) -> None:
    expires = datetime(2025, 3, 1, 12, tzinfo=UTC)
    issued = await keyring.keys.issue("acme", ["w", "r"], "5 per 2 hours", expires)
    stored = await Session(await documents_of(keyring)).get(DocumentType(ApiKey), issued.key.id)

    assert stored == issued.key
    assert (stored.permissions, stored.expires_at, stored.created_at) == (["r", "w"], expires, keyring.clock.now())


async def test_a_token_and_a_key_in_one_request_are_refused(keyring: Keyring) -> None:
    key, token = await keyring.issue(), keyring.service.tokens.token(["r"])
    both = {"Authorization": f"Bearer {token}", "X-API-Key": key.secret}
    answer = await keyring.http.get("/api/v1/who", headers=both)

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer, ApiKey")
    assert answer.json()["detail"] == "Send one kind of credentials, not several at once."
    for broken in ({"Authorization": "Bearer x"}, {"X-API-Key": UNKNOWN}):
        assert (await keyring.http.get("/api/v1/who", headers=both | broken)).status_code == 401
    assert (await keyring.http.get("/api/v1/who", headers=both | {"Authorization": "Basic YTpi"})).status_code == 200


@pytest.mark.service
async def test_while_the_store_is_away_nobody_is_let_in_and_all_may_come_back() -> None:
    async with keyring_in_memory() as keyring:
        key = await keyring.issue()
        store = await documents_of(keyring)
        await store.aclose()
        assert {(await keyring.shows(text)).status_code for text in (key.secret, UNKNOWN)} == {503}

        await store.open()
        assert await keyring.is_good(key.secret)


async def test_tokens_go_on_as_before(keyring: Keyring) -> None:
    answer = await keyring.http.get("/api/v1/who", headers=keyring.service.tokens.bearer(["r"], sub="ada"))

    assert answer.json()["id"] == "ada"


async def test_no_token_can_be_taken_for_a_key(keyring: Keyring) -> None:
    answer = await keyring.http.get("/api/v1/who", headers=keyring.service.tokens.bearer(["r"], sub="key:acme"))

    assert answer.status_code == 401


async def test_without_credentials_one_is_told_of_both_kinds(keyring: Keyring) -> None:
    answer = await keyring.shows()

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer, ApiKey")


async def test_openapi_names_both_kinds(keyring: Keyring) -> None:
    described = (await keyring.http.get("/api/openapi.json")).json()

    schemes = described["components"]["securitySchemes"]
    assert schemes["api_key"] == {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    assert described["paths"]["/api/v1/who"]["get"]["security"] == [{"oauth2": ["r"]}, {"api_key": ["r"]}]


@pytest.mark.service
async def test_a_service_that_has_no_keys_looks_at_none() -> None:
    made = WebApplicationBuilder(ServiceSettings())
    made.add_mediation("tests.framework.mvc.greetings")
    made.services.add_singleton(ThingsController)
    made._controllers.append(ThingsController)
    app = made.build()
    async with running(app) as service:
        token = (await Tokens.believed_by(service.services)).bearer(["r"])
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test/api/v1/things")
        async with client:
            alone = await client.get("/who", headers={"X-API-Key": UNKNOWN})
            beside = await client.get("/who", headers={"X-API-Key": UNKNOWN, **token})

    assert (alone.status_code, alone.headers["www-authenticate"]) == (401, "Bearer")
    assert beside.status_code == 200


@pytest.mark.service
def test_keys_need_documents() -> None:
    made = WebApplicationBuilder(ServiceSettings())
    made.add_api_keys()

    with pytest.raises(ConfigurationError, match="ApiKeys"):
        made.build()
