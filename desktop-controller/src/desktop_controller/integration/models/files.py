"""What is shown of the managed folder."""

from pydantic import BaseModel


class FileDto(BaseModel):
    """A file; `path` is relative to the managed folder."""

    path: str
    size: int
