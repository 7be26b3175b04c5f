"""Objects, in a folder and in memory."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from pathlib import Path

import pytest

from api_gateway.integration.repositories.objects import StoredObjects, connect_objects
from neuroglia.core import ConfigurationError, NotFoundError, Unavailable
from tests.support.waiting import eventually

Connect = Callable[[], StoredObjects]


@pytest.fixture(params=["file", "memory"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> StoredObjects:
    return connect_objects(f"file://{tmp_path}/a/b" if request.param == "file" else "memory://")


async def pieces(*parts: bytes, then: BaseException | None = None) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    if then:
        raise then


async def content_of(objects: StoredObjects, key: str) -> bytes:
    return b"".join([piece async for piece in objects.get(key)])


def files_in(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


async def test_what_is_put_is_got_and_described(objects: StoredObjects) -> None:
    large = b"x" * 6_000_000

    stored = await objects.put("prompts/p-1", pieces(b"ab", b"", large), media_type="text/plain")

    assert (stored.key, stored.media_type, stored.size) == ("prompts/p-1", "text/plain", 6_000_002)
    assert stored.sha256 == sha256(b"ab" + large).hexdigest()
    assert await content_of(objects, "prompts/p-1") == b"ab" + large


async def test_an_empty_object_is_one(objects: StoredObjects) -> None:
    assert (await objects.put("e", pieces(), media_type="text/plain")).size == 0
    assert await content_of(objects, "e") == b""


async def test_a_second_put_replaces_the_first(objects: StoredObjects) -> None:
    await objects.put("k", pieces(b"first and longer"), media_type="text/plain")
    await objects.put("k", pieces(b"second"), media_type="text/plain")

    assert await content_of(objects, "k") == b"second"


async def test_what_breaks_off_leaves_what_was_there(objects: StoredObjects) -> None:
    await objects.put("k", pieces(b"before"), media_type="text/plain")

    with pytest.raises(RuntimeError, match="broken"):
        await objects.put("k", pieces(b"y" * 6_000_000, then=RuntimeError("broken")), media_type="text/plain")

    assert await content_of(objects, "k") == b"before"


async def test_what_breaks_off_or_is_cancelled_leaves_no_file(tmp_path: Path) -> None:
    objects, waiting, on_the_way = connect_objects(f"file://{tmp_path}"), asyncio.Event(), asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        yield b"z" * 6_000_000
        on_the_way.set()
        await waiting.wait()

    with pytest.raises(RuntimeError):
        await objects.put("k", pieces(b"y" * 6_000_000, then=RuntimeError("broken")), media_type="text/plain")
    putting = asyncio.create_task(objects.put("k", stuck(), media_type="text/plain"))
    await on_the_way.wait()
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting

    async def nothing_is_left() -> bool:
        return not files_in(tmp_path)

    await eventually(nothing_is_left)


def test_what_dead_processes_left_of_objects_is_gone_with_a_start_an_hour_later(tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    for name in ("k", "k#1", "prompts/p#2", "young#1"):
        (tmp_path / name).write_bytes(b"a par")
    for name in ("k", "k#1", "prompts/p#2"):
        os.utime(tmp_path / name, (0, 0))

    connect_objects(f"file://{tmp_path}")

    assert sorted(files_in(tmp_path)) == ["k", "young#1"]


async def test_what_is_deleted_is_gone_and_may_be_deleted_again(objects: StoredObjects) -> None:
    await objects.put("k", pieces(b"x"), media_type="text/plain")

    for _ in range(2):
        await objects.delete("k")

    with pytest.raises(NotFoundError):
        await content_of(objects, "k")


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "..", "../x", "a/../b", "a//b", "a/", ".hidden", "a\\b", "a\0b", "_probe", "ä", "a b"]
)
async def test_only_our_own_names_are_keys(objects: StoredObjects, key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        await objects.put(key, pieces(b"x"), media_type="text/plain")


async def test_a_store_is_really_asked(tmp_path: Path) -> None:
    objects = connect_objects(f"file://{tmp_path}/store")
    await objects.probe()

    (tmp_path / "store" / "_probe").unlink()
    (tmp_path / "store").rmdir()
    (tmp_path / "store").write_text("no folder any more")

    with pytest.raises(Unavailable):
        await objects.probe()
    with pytest.raises(Unavailable):
        await objects.put("k", pieces(b"x"), media_type="text/plain")


@pytest.mark.parametrize("url", ["", "x", "ftp://a", "file://", "http://host/x", "memory://x", "az://", "data"])
def test_a_url_that_no_store_has_stops_the_start(url: str) -> None:
    with pytest.raises(ConfigurationError, match="OBJECT_STORE_URL"):
        connect_objects(url)


def test_stores_of_clouds_are_known_by_their_urls() -> None:
    for url in ("s3://bucket/prefix", "gs://bucket"):
        assert connect_objects(url)
