"""A supervisor's reports, where they come on the same stream as what its program writes."""

from desktop_controller.integration.pieces import begun


class Reports:
    """Takes the reports out of the stream. They are known by a token that nobody can guess.

    Attributes:
        found: what was reported so far.
    """

    def __init__(self, token: str) -> None:
        self.found: list[str] = []
        self._token = token.encode() + b" "
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """What the program has written, as far as that is known."""
        shown, data = b"", self._held + data
        while (at := data.find(self._token)) >= 0 and (end := data.find(b"\n", at)) >= 0:
            self.found.append(data[at + len(self._token) : end].decode(errors="replace"))
            shown, data = shown + data[:at], data[end + 1 :]
        cut = at if at >= 0 else len(data) - begun(data, self._token)
        self._held = data[cut:]
        return shown + data[:cut]

    def finish(self) -> bytes:
        """The rest."""
        rest, self._held = self._held, b""
        return rest
