"""Managed files and the host's documents: on this machine and over SFTP, and attacks on both."""

import asyncio
import ctypes
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from desktop_controller.integration.clients.ssh_host import SshHost
from desktop_controller.integration.ports import ManagedFiles
from desktop_controller.integration.repositories.host_documents import HostDocuments
from desktop_controller.integration.repositories.local_files import LocalFiles
from desktop_controller.integration.repositories.paths import InvalidPath, split_path
from desktop_controller.integration.repositories.sftp_files import SftpFiles
from neuroglia.core.errors import InvalidRequest, NotFoundError, Unavailable

AT_FDCWD, RENAME_EXCHANGE = -100, 2
Files = Callable[[Path], ManagedFiles]


OVER_SSH = [pytest.param(server, marks=pytest.mark.integration) for server in ("ssh_server", "real_sshd")]


@pytest.fixture(params=["local", *OVER_SSH])
def files_below(request: pytest.FixtureRequest) -> Files:
    """Each way to files in turn, with a limit of 1,000 bytes."""
    if request.param == "local":
        return lambda root: LocalFiles(root, most_bytes=1000)
    host = SshHost.of(request.getfixturevalue(request.param))
    return lambda root: SftpFiles(host, str(root), most_bytes=1000)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "managed"
    folder.mkdir()
    (tmp_path / "secret").write_text("secret")
    return folder


@pytest.fixture
def files(files_below: Files, root: Path) -> ManagedFiles:
    return files_below(root)


async def paths(files: ManagedFiles, after: str = "", limit: int = 100) -> list[str]:
    return [file.path for file in await files.list(after, limit)]


async def test_given_a_file_when_it_is_replaced_then_the_new_content_is_read(files: ManagedFiles, root: Path) -> None:
    await files.write("a/b/c.txt", b"one")
    await files.write("a/b/c.txt", b"two \xff")

    assert await files.read("a/b/c.txt") == b"two \xff"
    assert os.listdir(root / "a/b") == ["c.txt"]
    assert (root / "a/b/c.txt").stat().st_mode & 0o777 == 0o644


async def test_given_files_when_they_are_listed_then_they_are_in_the_order_of_their_paths(files: ManagedFiles) -> None:
    expected = sorted(["b", "a/z", "a.txt", "a/b/c", "a-b/x", "%2e%2e", "é", "A"])
    for path in reversed(expected):
        await files.write(path, b"123")

    assert await paths(files) == expected
    assert {file.size for file in await files.list("", 100)} == {3}
    seen: list[str] = []
    while page := await paths(files, seen[-1] if seen else "", 3):
        seen += page
    assert seen == expected
    assert await files.read("%2e%2e") == b"123"


async def test_given_no_folder_yet_when_it_is_used_then_it_is_empty_until_something_is_written(
    files_below: Files, tmp_path: Path
) -> None:
    files = files_below(tmp_path / "new/folder")

    assert await paths(files) == []
    with pytest.raises(NotFoundError):
        await files.read("a")
    await files.write("a", b"1")
    assert await paths(files) == ["a"]


BAD = ["", "/etc/passwd", "..", "../secret", "a/../../secret", "./a", "a//b", "a/", "a\0b", "a\nb", "\ud800", "x" * 256,
       "/".join(["d"] * 33), "a/" * 2100 + "b", "..\\secret", ".part~1"]  # fmt: skip


@pytest.mark.parametrize("path", BAD)
async def test_given_a_path_that_is_none_when_it_is_used_then_it_is_refused(files: ManagedFiles, path: str) -> None:
    with pytest.raises(InvalidRequest) as reading:
        await files.read(path)
    with pytest.raises(InvalidRequest):
        await files.write(path, b"x")

    assert [error.pointer for error in reading.value.errors] == ["/path"]


async def test_given_symbolic_links_when_they_are_used_then_nothing_behind_them_is_reached(
    files: ManagedFiles, root: Path
) -> None:
    (root / "file").symlink_to(root.parent / "secret")
    (root / "folder").symlink_to(root.parent)
    (root / "within").symlink_to("real")
    (root / "real").mkdir()
    (root / "real/x").write_text("x")

    for path in ("file", "folder/secret", "within/x", "folder"):
        with pytest.raises(NotFoundError):
            await files.read(path)
    for path in ("file", "folder/secret", "folder/new", "within/x", "folder"):
        with pytest.raises(InvalidRequest):
            await files.write(path, b"gone")
    assert await paths(files) == ["real/x"]
    assert (root.parent / "secret").read_text() == "secret"
    assert sorted(os.listdir(root.parent)) == ["managed", "secret"]


async def test_given_what_is_no_file_when_it_is_used_then_that_is_told(files: ManagedFiles, root: Path) -> None:
    os.mkfifo(root / "pipe")
    (root / "folder").mkdir()
    (root / "file").write_text("x")

    for path in ("pipe", "folder", "file/x", "none", "none/x", "FILE"):
        with pytest.raises(NotFoundError):
            await files.read(path)
    for path in ("pipe", "folder", "file/x"):
        with pytest.raises(InvalidRequest):
            await files.write(path, b"x")
    assert await paths(files) == ["file"]


async def test_given_too_much_when_it_is_read_or_written_then_it_is_refused(files: ManagedFiles, root: Path) -> None:
    (root / "large").write_bytes(b"x" * 1001)
    await files.write("just", b"x" * 1000)

    assert len(await files.read("just")) == 1000
    with pytest.raises(InvalidRequest):
        await files.read("large")
    with pytest.raises(InvalidRequest):
        await files.write("large", b"x" * 1001)


async def test_given_writers_at_the_same_time_when_a_file_is_read_then_it_is_one_of_their_contents(
    files: ManagedFiles, root: Path
) -> None:
    contents = [bytes([65 + i]) * 900 for i in range(6)]
    await asyncio.gather(*(files.write("a", content) for content in contents))

    assert await files.read("a") in contents
    assert os.listdir(root) == ["a"]


async def test_given_a_link_that_comes_and_goes_when_files_are_used_then_what_it_leads_to_is_never_reached(
    root: Path,
) -> None:
    files, outside = LocalFiles(root), root.parent / "outside"
    outside.mkdir()
    (outside / "x").write_text("secret")
    (root / "d").mkdir()
    (root / "d/x").write_text("mine")
    (root / "link").symlink_to(outside)
    over = asyncio.Event()
    renameat2 = ctypes.CDLL(None).renameat2

    def exchange() -> None:
        while not over.is_set():
            assert renameat2(AT_FDCWD, bytes(root / "d"), AT_FDCWD, bytes(root / "link"), RENAME_EXCHANGE) == 0

    exchanging = asyncio.create_task(asyncio.to_thread(exchange))
    for _ in range(200):
        try:
            assert await files.read("d/x") == b"mine"
            await files.write("d/x", b"mine")
        except (NotFoundError, InvalidRequest):
            continue
    over.set()
    await exchanging

    assert (outside / "x").read_text() == "secret"
    assert os.listdir(outside) == ["x"]


@given(st.text(max_size=30))
def test_given_any_text_when_it_is_a_path_then_it_stays_below(text: str) -> None:
    try:
        parts = split_path(text)
    except InvalidPath:
        return
    assert "/".join(parts) == text
    assert os.path.normpath(f"/root/{text}") == f"/root/{text}"


async def test_given_documents_when_they_are_saved_then_they_are_there_after_a_restart(
    files_below: Files, root: Path
) -> None:
    documents = HostDocuments(files_below(root))
    assert await documents.load("host") is None
    await documents.save("host", {"desktop_name": "é", "n": [1, None]})
    await documents.save("user", {})

    again = HostDocuments(files_below(root))
    assert await again.load("host") == {"desktop_name": "é", "n": [1, None]}
    assert await again.load("user") == {}


async def test_given_what_is_no_document_when_it_is_loaded_then_that_is_told(root: Path) -> None:
    (root / "host.json").write_text("[]")

    with pytest.raises(Unavailable):
        await HostDocuments(LocalFiles(root)).load("host")


async def test_given_a_folder_that_cannot_be_used_when_it_is_listed_then_it_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(Unavailable):
        await LocalFiles(tmp_path / "file").list("", 10)
