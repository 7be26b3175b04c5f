"""Archives: the good ones pass as tools make them, and what leads astray or blows up does not."""

import io
import stat
import struct
import tracemalloc
import zipfile
import zlib
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from api_gateway.integration.clients.archives import ArchiveLimits, check_archive
from api_gateway.integration.ports import DataRefused
from tests.api_gateway.clients.zips import Entry, archive, described

LIMITS = ArchiveLimits(entries=10, inflated=8 * 1024 * 1024, ratio=200)
GOOD_NAMES = ["a.txt", "a/b/c.txt", "..a/b", "a..", "ä.txt", "a b", "-", "日本.txt", "...", "👩‍💻.txt"]
BAD_NAMES = [
    "", "/", "/etc/passwd", "//host/share", "..", "../x", "a/../../x", "a/..", "./x", "a/./b", "a//b", "a\\b",
    "..\\x", "\\\\host\\share", "C:\\x", "C:x", "c:/x", "a\0.txt", "\0", "a\nb", "a\x1b[2J", "x" * 256,
    "../", "a/../",
]  # fmt: skip


def code_of(content: bytes, limits: ArchiveLimits = LIMITS) -> str | None:
    try:
        check_archive(io.BytesIO(content), limits)
    except DataRefused as refused:
        return refused.code
    return None


def zipped(*names: str, method: int = zipfile.ZIP_DEFLATED, content: bytes = b"hello") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return made.getvalue()


class Stream(io.RawIOBase):
    """Where one can only write, as on a socket: the writer has to note the sizes behind the content."""

    def __init__(self) -> None:
        self.written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.written += data
        return len(data)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_what_a_usual_tool_makes_is_taken(method: int) -> None:
    assert code_of(zipped(*GOOD_NAMES, method=method)) is None
    assert code_of(zipped()) is None
    assert code_of(zipped("folder/", "folder/a", content=b"")) is None


def test_what_a_usual_tool_streams_is_taken() -> None:
    stream = Stream()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", b"hello" * 1000)
        archive.writestr("b.txt", b"")

    assert code_of(bytes(stream.written)) is None


@pytest.mark.parametrize("form", ["<4s3L", "<4sL2Q"])
def test_every_form_of_a_note_behind_the_content_is_taken(form: str) -> None:
    whole = described(Entry(), form)
    short = replace(whole, descriptor=whole.descriptor[4:], name=b"b")

    assert code_of(archive(whole, short, comment=b"made by hand")) is None


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=9),
        st.binary(max_size=500),
        max_size=9,
    )
)
def test_all_that_the_library_writes_of_plain_names_is_taken(files: dict[str, bytes]) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as written:
        for number, (name, content) in enumerate(files.items()):
            written.writestr(f"{number}{name}", content)

    assert code_of(made.getvalue()) is None


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_leads_elsewhere_is_not_taken(name: str) -> None:
    assert code_of(archive(Entry(name=name.encode(), flags=0x800))) == "unsafe-archive"
    assert code_of(archive(Entry(name=b"good"), Entry(name=name.encode()))) == "unsafe-archive"


@pytest.mark.parametrize("name", ["../x", "/x", "a\\b", "a\0"])
def test_nor_if_it_stands_in_another_field(name: str) -> None:
    field = struct.pack("<2HBL", 0x7075, 5 + len(name), 1, zlib.crc32(b"good")) + name.encode()

    assert code_of(archive(Entry(name=b"good", extra=field))) == "unsafe-archive"
    assert (
        code_of(archive(Entry(name=b"good", extra=struct.pack("<2H", 0x9999, 2) + b"xx" + field))) == "unsafe-archive"
    )


@pytest.mark.parametrize("second", [b"a.txt", b"A.TXT", b"a.txt/"])
def test_two_entries_of_one_name_are_not_taken(second: bytes) -> None:
    assert code_of(archive(Entry(), Entry(name=second))) == "unsafe-archive"


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_a_link_or_a_device_is_not_taken(kind: int) -> None:
    assert code_of(archive(Entry(content=b"/etc/passwd", mode=kind | 0o777))) == "unsafe-archive"
    assert code_of(archive(Entry(mode=stat.S_IFREG | 0o644), Entry(name=b"d/", content=b"", mode=stat.S_IFDIR))) is None


@pytest.mark.parametrize("flag", [0x1, 0x40, 0x2000])
def test_what_cannot_be_looked_at_is_not_taken(flag: int) -> None:
    assert code_of(archive(Entry(flags=flag))) in {"unsafe-archive", "broken-archive"}


@pytest.mark.parametrize("method", [1, 6, 9, 12, 14, 93, 99])
def test_unusual_ways_of_packing_are_not_taken(method: int) -> None:
    assert code_of(archive(Entry(method=method))) == "unsafe-archive"


@pytest.mark.parametrize(
    "bad",
    [
        archive(Entry(size=4)),
        archive(Entry(size=6)),
        archive(Entry(crc=1)),
        archive(Entry(local_crc=1)),
        archive(Entry(local_name=b"b.txt")),
        archive(Entry(local_name=b"../b")),
        archive(Entry(packed_size=3)),
        archive(Entry(packed=False, packed_size=3, size=3, crc=zlib.crc32(b"hel"))),
        archive(described(Entry(), size=1)),
        archive(replace(described(Entry()), descriptor=b"")),
        archive(replace(described(Entry()), descriptor=b"x" * 16)),
        archive(Entry(raw=b"\xff\xff\xff\xff")),
        archive(Entry(raw=Entry().body + b"hidden")),
        archive(Entry(raw=Entry().body[:-1])),
        archive(Entry(before=b"#!/bin/sh\n")),
        archive(Entry(), Entry(name=b"b", before=archive(Entry(name=b"hidden"))[:-22])),
        archive(Entry(), Entry(name=b"b", offset=0)),
        archive(Entry(), Entry(name=b"b", offset=1)),
        archive(Entry(), gap=b"hidden"),
        archive(Entry(), behind=b"x"),
        archive(Entry(), count=0),
        archive(Entry(), count=2),
        archive(Entry(), count=0xFFFF),
        archive(Entry(offset=0xFFFFFFFF)),
        archive(Entry(offset=4000)),
        b"#!/bin/sh\n" + archive(Entry()),
        archive(Entry())[:-1],
        archive(Entry())[1:],
        archive(Entry()) + archive(Entry()),
        archive(Entry(), comment=archive(Entry())),
        b"PK\x05\x06",
        b"PK\x03\x04" + bytes(100),
        b"",
    ],
)  # fmt: skip
def test_an_archive_that_lies_or_hides_something_is_not_taken(bad: bytes) -> None:
    assert code_of(bad) in {"unsafe-archive", "broken-archive", "archive-too-large"}


@given(st.data())
def test_a_byte_that_was_changed_leads_to_an_answer_and_to_no_crash(data: st.DataObject) -> None:
    content = bytearray(archive(Entry(), described(Entry(name=b"b")), Entry(name=b"c", packed=False)))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))

    assert code_of(bytes(content)) in {None, "unsafe-archive", "broken-archive", "archive-too-large"}


def test_many_entries_are_not_taken() -> None:
    entries = [Entry(name=str(number).encode()) for number in range(11)]

    assert code_of(archive(*entries[:10])) is None
    assert code_of(archive(*entries)) == "archive-too-large"


def test_a_bomb_is_not_taken() -> None:
    zeros = bytes(4 * 1024 * 1024)

    assert code_of(archive(Entry(content=zeros))) == "archive-too-large"  # its ratio
    assert code_of(archive(Entry(content=zeros)), replace(LIMITS, ratio=2000)) is None
    three = [Entry(name=str(number).encode(), content=zeros) for number in range(3)]
    assert code_of(archive(*three), replace(LIMITS, ratio=2000)) == "archive-too-large"  # all together
    assert code_of(archive(Entry(content=zeros, size=10, crc=1)), replace(LIMITS, ratio=2000)) == "unsafe-archive"


def test_a_bomb_that_says_it_is_small_is_not_believed() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(64)) + packer.flush()
    tracemalloc.start()
    try:
        code = code_of(archive(Entry(content=b"small", raw=packed)), replace(LIMITS, ratio=10_000))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert code == "archive-too-large"
    assert most < 2 * 1024 * 1024  # and not 64


def test_a_large_directory_is_not_read() -> None:
    entry = Entry(name=b"x" * 1000, extra=struct.pack("<2H", 0x9999, 60_000) + bytes(60_000))
    many = [replace(entry, name=b"%04d" % number + entry.name) for number in range(10)]

    assert code_of(archive(*many)) == "archive-too-large"


def test_a_path_that_is_too_long_is_not_taken() -> None:
    deep = Entry(name=b"a/" * 600 + b"b")

    assert code_of(archive(Entry(), deep)) == "unsafe-archive"
    assert code_of(archive(deep)) == "archive-too-large"


def test_an_archive_within_another_is_not_opened() -> None:
    bomb = archive(Entry(name=b"../x"))

    assert code_of(archive(Entry(name=b"inner.zip", content=bomb))) is None
