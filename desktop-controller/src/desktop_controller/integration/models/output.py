"""What is shown of a command's output while it grows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OutputPiece:
    """The next piece, as text. `offset` is the byte behind it, from where one can go on. One without text is
    a sign of life. Behind the last one nothing comes, for the command has ended."""

    offset: int
    text: str
    is_last: bool = False
