"""Downloads over real sockets: what is good becomes an object, and of the rest nothing is left."""

import asyncio
import gzip
import os
import tracemalloc
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from socket import create_server

import pytest

from api_gateway.domain.models.data_object import DataObject
from api_gateway.integration.clients.archives import ArchiveLimits
from api_gateway.integration.clients.data_packages import DataLimits, HttpDataPackages
from api_gateway.integration.clients.guarded_transport import guarded_client, trusted_by
from api_gateway.integration.clients.url_guard import OutgoingGuard, OutgoingRules
from api_gateway.integration.ports import DataRefused
from api_gateway.integration.repositories.objects import StoredObjects, connect_objects
from neuroglia.core import Unavailable
from neuroglia.testing import FixedClock
from tests.api_gateway.clients.servers import Handler, LoopbackServer, answer, never_ends, says, server, silence
from tests.api_gateway.clients.zips import Entry, archive
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration
LIMITS = DataLimits(size=1_000_000, seconds=20, silence=10, archive=ArchiveLimits(entries=5, inflated=500_000))
RULES = OutgoingRules.of(allow_http=True, hosts=[], ports=["1024-65535"], networks=["127.0.0.1"])
OK = b"HTTP/1.1 200 So\r\nconnection: close\r\n"
PDF, PNG, ZIP = b"%PDF-1.7\n...", b"\x89PNG\r\n\x1a\n...", archive(Entry())


@asynccontextmanager
async def packages(
    handle: Handler, folder: Path, limits: DataLimits = LIMITS
) -> AsyncGenerator[tuple[LoopbackServer, HttpDataPackages, StoredObjects]]:
    objects = connect_objects(f"file://{folder}/objects")
    async with server(handle) as there, guarded_client(OutgoingGuard(RULES), trusted_by(None), limits.timeout) as http:
        yield there, HttpDataPackages(http, objects, limits, folder / "incoming", FixedClock()), objects


async def fetched(said: bytes, folder: Path, limits: DataLimits = LIMITS) -> DataObject:
    async with packages(says(said), folder, limits) as (there, data, _):
        return await data.fetch(f"{there.url}/package", name="prompts/p-1")


async def refused(handle: Handler, folder: Path, limits: DataLimits = LIMITS) -> str:
    """The code with which a download is refused, once it is known that nothing is left of it."""
    async with packages(handle, folder, limits) as (there, data, _):
        with pytest.raises(DataRefused) as error:
            await data.fetch(f"{there.url}/package", name="prompts/p-1")
    assert files_in(folder) == []
    return error.value.code


def files_in(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("content", "said", "found"),
    [
        (PDF, "application/pdf", "application/pdf"),
        (PDF, "application/octet-stream", "application/pdf"),
        (PNG, "image/png", "image/png"),
        (ZIP, "application/zip", "application/zip"),
        (ZIP, "application/x-zip-compressed", "application/zip"),
        (archive(), "application/zip", "application/zip"),
        (b'{"a": 1}', "application/json; charset=utf-8", "application/json"),
        (b' [1, 2]', "application/vnd.api+json", "application/json"),
        (b'{"a": 1}', "", "application/json"),
        (b"a;b\n1;2\n", "text/csv", "text/csv"),
        ("grün".encode(), "text/plain", "text/plain"),
        ("grün".encode(), "", "text/plain"),
        (b"\xef\xbb\xbf# x", "text/markdown", "text/markdown"),
        (b"", "text/plain", "text/plain"),
        (b"", "", "text/plain"),
        (b"no JSON", "", "text/plain"),
    ],
)  # fmt: skip
async def test_what_is_good_becomes_an_object(content: bytes, said: str, found: str, tmp_path: Path) -> None:
    headers = {"content_type": said} if said else {}
    async with packages(says(answer(200, content, **headers)), tmp_path) as (there, data, objects):
        package = await data.fetch(f"{there.url}/package?x=../../y", name="prompts/p-1")

        kept = b"".join([piece async for piece in objects.get("prompts/p-1")])
    assert (package.key, package.media_type, package.size) == ("prompts/p-1", found, len(content))
    assert (package.sha256, kept) == (sha256(content).hexdigest(), content)
    assert files_in(tmp_path) == ["objects/prompts/p-1"]
    assert there.asked[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (ZIP, "text/plain"), (ZIP, "application/pdf"), (PDF, "application/zip"), (b"text", "application/zip"),
        (b"text", "application/json"), (b"{}", "image/png"), (b"<html>", "text/html"), (b"MZ\x90\x00", ""),
        (b"\x7fELF", "application/octet-stream"), (b"a\0b", "text/plain"), (b"\xff\xfe", "text/plain"),
        (b"\x1f\x8b\x08", "application/gzip"), (b"12", "application/json"),
        (b"x" * 300_000 + b"\0", "text/plain"), (b"\xc3", "text/plain"),
    ],
)  # fmt: skip
async def test_what_is_of_no_known_type_or_of_another_than_it_says_is_refused(
    content: bytes, said: str, tmp_path: Path
) -> None:
    headers = {"content_type": said} if said else {}

    assert await refused(says(answer(200, content, **headers)), tmp_path) == "media-type"


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (archive(Entry(name=b"../../etc/cron.d/x")), "unsafe-archive"),
        (archive(Entry(content=bytes(2_000_000))), "archive-too-large"),
        (archive(*[Entry(name=b"%d" % number) for number in range(6)]), "archive-too-large"),
        (ZIP[:-3], "broken-archive"),
    ],
)
async def test_an_archive_that_is_no_good_is_refused(bad: bytes, code: str, tmp_path: Path) -> None:
    assert await refused(says(answer(200, bad, content_type="application/zip")), tmp_path) == code


@pytest.mark.parametrize("length", ["1000001", "9" * 19, "9" * 30])
async def test_what_says_that_it_is_too_large_is_not_begun(length: str, tmp_path: Path) -> None:
    async with packages(says(OK + f"content-length: {length}\r\n\r\n".encode()), tmp_path) as (there, data, _):
        with pytest.raises((DataRefused, Unavailable)) as error:
            await data.fetch(there.url, name="p")

    assert isinstance(error.value, Unavailable) or error.value.code == "too-large"
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("chunked", [True, False])
async def test_a_download_without_end_is_cut_off_in_little_memory(chunked: bool, tmp_path: Path) -> None:
    start, piece = OK + b"content-type: text/plain\r\n", b"x" * 65536
    if chunked:
        start, piece = start + b"transfer-encoding: chunked\r\n", b"10000\r\n" + piece + b"\r\n"
    tracemalloc.start()
    try:
        code = await refused(never_ends(start + b"\r\n", piece), tmp_path, replace(LIMITS, size=50_000_000))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert code == "too-large"
    assert most < 10_000_000


async def test_a_download_that_drips_ends_in_time(tmp_path: Path) -> None:
    dripping = never_ends(OK + b"\r\n", b"x", 0.01)

    assert await refused(dripping, tmp_path, replace(LIMITS, seconds=0.5)) == "too-slow"


async def test_a_download_that_stops_ends_in_time(tmp_path: Path) -> None:
    async def stops(asked: object, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"content-length: 100\r\n\r\nhello")
        await writer.drain()
        await silence(asked, writer)  # type: ignore[arg-type]

    assert await refused(stops, tmp_path, replace(LIMITS, silence=0.3)) == "too-slow"


@pytest.mark.parametrize(
    "said",
    [
        OK + b"content-length: 100\r\n\r\nhello",
        OK + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        OK + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_what_is_shorter_than_it_says_is_refused(said: bytes, tmp_path: Path) -> None:
    assert await refused(says(said), tmp_path) == "incomplete"


async def test_what_is_longer_than_it_says_ends_where_it_says(tmp_path: Path) -> None:
    package = await fetched(OK + b"content-type: text/plain\r\ncontent-length: 5\r\n\r\nhello and more", tmp_path)

    assert package.size == 5


@pytest.mark.parametrize(
    "lengths", [b"content-length: 5\r\ncontent-length: 7\r\n", b"content-length: -5\r\n", b"content-length: x\r\n"]
)
async def test_a_length_that_is_none_is_no_answer(lengths: bytes, tmp_path: Path) -> None:
    async with packages(says(OK + lengths + b"\r\nhello"), tmp_path) as (there, data, _):
        with pytest.raises(Unavailable):
            await data.fetch(there.url, name="p")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, gzip"])
async def test_what_comes_compressed_is_refused_before_it_can_grow(encoding: str, tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(5_000_000))
    said = answer(200, bomb, content_type="text/plain", content_encoding=encoding)

    assert await refused(says(said), tmp_path) == "content-encoding"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (301, "redirect"), (302, "redirect"), (307, "redirect"), (308, "redirect"), (404, "not-found"),
        (410, "not-found"), (401, "not-given"), (403, "not-given"), (400, "not-given"), (206, "not-given"),
        (204, "not-given"),
    ],
)  # fmt: skip
async def test_another_answer_than_the_data_has_its_own_code(status: int, code: str, tmp_path: Path) -> None:
    said = answer(status, location="http://169.254.169.254/latest/meta-data/")

    assert await refused(says(said), tmp_path) == code


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_not_now_means_that_it_may_come_later(status: int, tmp_path: Path) -> None:
    async with packages(says(answer(status, retry_after="9")), tmp_path) as (there, data, _):
        with pytest.raises(Unavailable) as later:
            await data.fetch(there.url, name="p")

    assert later.value.asked == 9
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("manner", [silence, says(), says(b"nonsense\r\n\r\n")])
async def test_who_does_not_answer_may_do_so_later(manner: Handler, tmp_path: Path) -> None:
    async with packages(manner, tmp_path, replace(LIMITS, silence=0.3)) as (there, data, _):
        with pytest.raises(Unavailable):
            await data.fetch(there.url, name="p")


async def test_where_nobody_listens_somebody_may_later(tmp_path: Path) -> None:
    with closing(create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    async with packages(says(), tmp_path) as (_, data, _):
        with pytest.raises(Unavailable):
            await data.fetch(f"http://127.0.0.1:{port}/", name="p")


@pytest.mark.parametrize("url", ["http://127.0.0.2/", "http://169.254.169.254/", "file:///etc/passwd", "http://[::1]/"])
async def test_what_is_inside_is_not_fetched(url: str, tmp_path: Path) -> None:
    async with packages(says(answer(200, b"x")), tmp_path) as (_, data, _):
        with pytest.raises(DataRefused) as error:
            await data.fetch(url, name="p")

    assert error.value.code == "url-refused"


async def test_a_second_download_replaces_the_first_and_a_bad_one_leaves_it(tmp_path: Path) -> None:
    await fetched(answer(200, b"first"), tmp_path)
    await fetched(answer(200, b"second"), tmp_path)
    with pytest.raises(DataRefused):
        await fetched(answer(200, b"\0"), tmp_path)

    assert (tmp_path / "objects" / "prompts" / "p-1").read_bytes() == b"second"


async def test_a_download_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    async with packages(never_ends(OK + b"\r\n", b"x", 0.01), tmp_path) as (there, data, _):
        fetching = asyncio.create_task(data.fetch(there.url, name="p"))

        async def begun() -> bool:
            return there.visits > 0

        await eventually(begun)
        fetching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetching

    assert files_in(tmp_path) == []


async def test_a_folder_that_cannot_be_used_is_no_fault_of_the_caller(tmp_path: Path) -> None:
    async with packages(says(answer(200, b"x")), tmp_path) as (there, data, _):
        (tmp_path / "incoming").write_text("no folder")
        with pytest.raises(Unavailable):
            await data.fetch(there.url, name="p")

    assert os.listdir(tmp_path / "objects") == []
