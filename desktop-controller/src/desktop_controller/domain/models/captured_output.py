"""What is known of a command's output when it has ended."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CapturedOutput:
    """The last of each stream as text, and of the whole capture: its length, its digest, and whether it was cut."""

    stdout: str
    stderr: str
    output_bytes: int
    output_sha256: str
    truncated: bool
