"""What may be a path below a folder."""

from typing import Final

from neuroglia.core.errors import FieldError, InvalidRequest

_LONGEST_PART: Final = 255
_LONGEST: Final = 4096
_DEEPEST: Final = 32
RESERVED: Final = ".part~"
"""How the names of unfinished files begin."""


class InvalidPath(ValueError):
    """It is absolute, leads out, or is none at all. The text says why."""


def split_path(path: str) -> tuple[str, ...]:
    """The parts of a relative path, each the plain name of a folder or file. Nothing is decoded or repaired.

    Raises:
        InvalidPath: it is none.
    """
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        raise InvalidPath("It is no text.") from None
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in path):
        raise InvalidPath("It contains control characters.")
    if not path or len(encoded) > _LONGEST:
        raise InvalidPath("It is empty or too long.")
    if path.startswith("/"):
        raise InvalidPath("It must be relative.")
    parts = tuple(path.split("/"))
    if any(part in {"", ".", ".."} for part in parts):
        raise InvalidPath("None of its parts may be empty, '.' or '..'.")
    if len(parts) > _DEEPEST or any(len(part.encode()) > _LONGEST_PART for part in parts):
        raise InvalidPath("It is too deep, or one of its parts is too long.")
    if any("\\" in part or part.startswith(RESERVED) for part in parts):
        raise InvalidPath(f"None of its parts may contain '\\' or begin with '{RESERVED}'.")
    return parts


def parts_of(path: str) -> tuple[str, ...]:
    """The parts of a path that somebody asks for.

    Raises:
        InvalidRequest: it is none.
    """
    try:
        return split_path(path)
    except InvalidPath as error:
        raise refused("path", str(error)) from None


def refused(code: str, detail: str) -> InvalidRequest:
    """What is wrong with a path, or with what it leads to."""
    return InvalidRequest([FieldError("/path", code, detail)])
