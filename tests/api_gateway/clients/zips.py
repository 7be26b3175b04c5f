"""Archives made byte by byte: the honest, and those that lie."""

import struct
import zlib
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Entry:
    """One entry; what is None in the directory or at the entry is the truth."""

    name: bytes = b"a.txt"
    content: bytes = b"hello"
    packed: bool = True
    flags: int = 0
    mode: int = 0
    method: int | None = None
    extra: bytes = b""
    local_name: bytes | None = None
    local_crc: int | None = None
    size: int | None = None
    packed_size: int | None = None
    crc: int | None = None
    raw: bytes | None = None
    """What stands there instead of the content as it is packed."""
    descriptor: bytes = b""
    offset: int | None = None
    before: bytes = b""

    @property
    def body(self) -> bytes:
        if self.raw is not None:
            return self.raw
        if not self.packed:
            return self.content
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return packer.compress(self.content) + packer.flush()

    @property
    def numbers(self) -> tuple[int, int, int]:
        return (
            zlib.crc32(self.content) if self.crc is None else self.crc,
            len(self.body) if self.packed_size is None else self.packed_size,
            len(self.content) if self.size is None else self.size,
        )


def archive(
    *entries: Entry, count: int | None = None, comment: bytes = b"", behind: bytes = b"", gap: bytes = b""
) -> bytes:
    """The archive of these entries. `gap` stands before the directory, `behind` after the end."""
    content, directory = b"", b""
    for entry in entries:
        content += entry.before
        method = (8 if entry.packed else 0) if entry.method is None else entry.method
        offset = len(content) if entry.offset is None else entry.offset
        crc, packed, size = (0, 0, 0) if entry.flags & 8 else entry.numbers
        local_name = entry.name if entry.local_name is None else entry.local_name
        crc = crc if entry.local_crc is None else entry.local_crc
        head = struct.pack(
            "<4s5H3L2H", b"PK\3\4", 20, entry.flags, method, 0, 33, crc, packed, size, len(local_name), 0
        )
        content += head + local_name + entry.body + entry.descriptor
        made_by = 3 << 8 | 20
        directory += struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", made_by, 20, entry.flags, method, 0, 33, *entry.numbers, len(entry.name),
            len(entry.extra), 0, 0, 0, entry.mode << 16, offset,
        ) + entry.name + entry.extra  # fmt: skip
    content += gap
    many = len(entries) if count is None else count
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, many, many, len(directory), len(content), len(comment))
    return content + directory + end + comment + behind


def described(entry: Entry, form: str = "<4s3L", **lies: int) -> Entry:
    """The same, as who streams it writes it: the numbers stand behind the content."""
    crc, packed, size = replace(entry, **lies).numbers  # type: ignore[arg-type]
    return replace(entry, flags=entry.flags | 8, descriptor=struct.pack(form, b"PK\7\x08", crc, packed, size))
