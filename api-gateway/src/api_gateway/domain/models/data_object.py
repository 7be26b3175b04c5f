"""What was fetched from a caller's data URL."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DataObject:
    """A package of data in the object store. `size` is in bytes, `sha256` of its content in hexadecimal."""

    key: str
    media_type: str
    size: int
    sha256: str
