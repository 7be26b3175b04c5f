"""What a stream of Server-Sent Events carries."""

from collections.abc import Iterator


def data_of(stream: str) -> Iterator[str]:
    """The data of each event (WHATWG HTML, section 9.2.6); what is behind the last blank line is no event."""
    lines: list[str] = []
    for line in stream.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        name, _, value = line.partition(":")
        if not line:
            if lines:
                yield "\n".join(lines)
            lines = []
        elif name == "data":
            lines.append(value.removeprefix(" "))
