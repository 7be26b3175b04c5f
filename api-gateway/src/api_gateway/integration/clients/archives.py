"""ZIP archives are looked at, and never extracted: whoever extracts them later must not be led astray.

An archive that different programs read differently is refused, too: every byte has to belong to one entry or to the
directory, and both have to say the same.
"""

import os
import re
import stat
import struct
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from api_gateway.integration.ports import DataRefused

_PIECE: Final = 64 * 1024
_END: Final = struct.Struct("<4s4H2LH")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_END_MARK, _LOCAL_MARK, _DESCRIPTOR_MARK = b"PK\x05\x06", b"PK\x03\x04", b"PK\x07\x08"
_ENCRYPTED: Final = 0x0001 | 0x0040 | 0x2000
_DESCRIBED: Final = 0x0008
_UTF8: Final = 0x0800
_LONGEST_DESCRIPTOR: Final = 24
_UNICODE_PATH: Final = 0x7075
_CONTROL: Final = {"Cc", "Cs", "Zl", "Zp"}
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_DIRECTORY_PER_ENTRY: Final = 1024
_FREE_RATIO: Final = 1024 * 1024
"""Below so many bytes nobody asks how well an entry was packed."""


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """`inflated` bytes of all entries together; `ratio`: inflated to packed, of an entry that becomes large."""

    entries: int = 1000
    inflated: int = 256 * 1024 * 1024
    ratio: int = 200


def check_archive(file: IO[bytes], limits: ArchiveLimits) -> None:
    """Reads all of an archive in little memory. Blocks: it is work for a thread.

    Raises:
        DataRefused: `unsafe-archive`, `archive-too-large` or `broken-archive`.
    """
    size = file.seek(0, os.SEEK_END)
    directory, count = _directory(file, size, limits)
    try:
        with ZipFile(file) as archive:
            entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
    except (BadZipFile, ValueError, NotImplementedError, struct.error) as error:  # names that are no text among them
        raise _broken("It cannot be read.") from error
    if len(entries) != count:
        raise _broken("It has not as many entries as it says.")
    seen = set[str]()
    for entry in entries:
        for name in (entry.orig_filename, *_names_beside(entry)):
            _check_name(name)
        _check_kind(entry)
        known = unicodedata.normalize("NFC", entry.orig_filename).casefold().rstrip("/")
        if known in seen:
            raise _unsafe("Two entries have the same name.")
        seen.add(known)
    _check_contents(file, entries, directory, limits)


def _directory(file: IO[bytes], size: int, limits: ArchiveLimits) -> tuple[int, int]:
    """Where the directory begins, and how many entries it has: looked at before all of it is read into memory."""
    tail = min(size, _END.size + 0xFFFF)
    file.seek(size - tail)
    read = file.read(tail)
    at = read.rfind(_END_MARK)
    if at < 0 or at + _END.size > len(read):
        raise _broken("It has no end.")
    _, disk, first_disk, here, count, length, offset, comment = _END.unpack_from(read, at)
    end = size - tail + at
    if end + _END.size + comment != size or offset + length != end or disk or first_disk or here != count:
        raise _broken("Its end does not fit to its length.")
    if count > limits.entries or length > max(count, 1) * _DIRECTORY_PER_ENTRY:
        raise DataRefused(
            "archive-too-large", f"The archive has more than {limits.entries} entries, or too long names."
        )
    return offset, count


def _check_name(name: str) -> None:
    """A relative path that stays below where it is extracted, on every system."""
    parts = name.removesuffix("/").split("/")
    if len(name) > 1024 or any(part in {"", ".", ".."} or len(part) > 255 for part in parts):
        raise _unsafe("An entry's name is no path below the archive.")
    if "\\" in name or _DRIVE.match(name) or any(unicodedata.category(char) in _CONTROL for char in name):
        raise _unsafe("An entry's name has characters that lead elsewhere.")


def _names_beside(entry: ZipInfo) -> Iterator[str]:
    """Names that some programs take instead of the entry's own."""
    extra = entry.extra
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<2H", extra)
        field, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind == _UNICODE_PATH:
            try:
                yield field[5:].decode()
            except UnicodeDecodeError:
                raise _unsafe("An entry's name is no text.") from None


def _check_kind(entry: ZipInfo) -> None:
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise _unsafe("An entry is a link or a device.")
    if entry.flag_bits & _ENCRYPTED:
        raise _unsafe("An entry is encrypted.")
    if entry.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        raise _unsafe("An entry is packed in an unusual way.")


def _check_contents(file: IO[bytes], entries: Sequence[ZipInfo], directory: int, limits: ArchiveLimits) -> None:
    """Each entry begins where the one before has ended, and unpacks to what the directory says."""
    end, left = 0, limits.inflated
    for entry in entries:
        if entry.header_offset != end:
            raise _unsafe("Its entries overlap, or there is something between them.")
        start = end + _local_header(file, entry)
        if start + entry.compress_size > directory:
            raise _broken("An entry is longer than the archive.")
        file.seek(start)
        left -= _unpacked(file, entry, min(left, max(entry.compress_size * limits.ratio, _FREE_RATIO)))
        end = start + entry.compress_size
        file.seek(end)
        end += _descriptor(file.read(_LONGEST_DESCRIPTOR), entry)
    if end != directory:
        raise _unsafe("There is something between its entries and its directory.")


def _local_header(file: IO[bytes], entry: ZipInfo) -> int:
    """How long the header before an entry's content is, once it is known to say the same as the directory."""
    file.seek(entry.header_offset)
    read = file.read(_LOCAL.size)
    if len(read) < _LOCAL.size:
        raise _broken("An entry has no beginning.")
    mark, _, flags, packed, _, _, crc, packed_size, size, name_length, extra_length = _LOCAL.unpack(read)
    name = file.read(name_length)
    said = (mark, flags & (_ENCRYPTED | _DESCRIBED | _UTF8), packed, name)
    wanted = (
        _LOCAL_MARK,
        entry.flag_bits & (_ENCRYPTED | _DESCRIBED | _UTF8),
        entry.compress_type,
        entry.orig_filename.encode("utf-8" if entry.flag_bits & _UTF8 else "cp437"),
    )
    open_ = {0, 0xFFFFFFFF} if flags & _DESCRIBED else set[int]()  # then it stands behind the content
    numbers = ((crc, entry.CRC), (packed_size, entry.compress_size), (size, entry.file_size))
    if said != wanted or not all(here == there or here in open_ for here, there in numbers):
        raise _unsafe("An entry and the directory say different things.")
    return _LOCAL.size + int(name_length) + int(extra_length)


def _unpacked(file: IO[bytes], entry: ZipInfo, most: int) -> int:
    """How many bytes an entry really unpacks to; stops at the first that is too many."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS) if entry.compress_type == ZIP_DEFLATED else None
    packed, size, crc, tail = entry.compress_size, 0, 0, b""
    try:
        while True:
            if not tail and packed:
                tail = file.read(min(packed, _PIECE))
                packed -= len(tail)
                if not tail:
                    raise _broken("An entry is longer than the archive.")
            piece = tail if inflater is None else inflater.decompress(tail, _PIECE)
            tail = b"" if inflater is None else inflater.unconsumed_tail
            size, crc = size + len(piece), zlib.crc32(piece, crc)
            if size > most:
                raise DataRefused("archive-too-large", "The archive unpacks to more than is taken.")
            if not (piece or tail or packed) or (inflater and inflater.eof):
                break
    except zlib.error as error:
        raise _broken("An entry cannot be unpacked.") from error
    if inflater and (not inflater.eof or inflater.unused_data or packed):
        raise _unsafe("There is something behind an entry's content, or some of it is missing.")
    if (size, crc) != (entry.file_size, entry.CRC):
        raise _unsafe("An entry unpacks to something else than the directory says.")
    return size


def _descriptor(behind: bytes, entry: ZipInfo) -> int:
    """How long the note behind an entry's content is: its checksum and sizes, in one of the four forms in use."""
    if not entry.flag_bits & _DESCRIBED:
        return 0
    for form in ("<4s3L", "<4sL2Q"):
        noted = struct.pack(form, _DESCRIPTOR_MARK, entry.CRC, entry.compress_size, entry.file_size)
        for expected in (noted, noted[4:]):
            if behind.startswith(expected):
                return len(expected)
    raise _unsafe("An entry and the note behind it say different things.")


def _unsafe(detail: str) -> DataRefused:
    return DataRefused("unsafe-archive", f"The archive is not safe to unpack: {detail}")


def _broken(detail: str) -> DataRefused:
    return DataRefused("broken-archive", f"The archive is broken: {detail}")
