"""Secrets, taken out of what is stored and shown: those that are known, and what looks like one."""

import re
from collections.abc import Iterable
from typing import Final

REDACTED: Final = b"[redacted]"
_LOOKS_SECRET: Final = (
    rb"(?i:\b(?:bearer|basic)[ \t]{1,8}"
    rb"|(?:password|passwd|passphrase|secret|token|api[_-]?key)[\"']?[ \t]{0,8}[=:][ \t]{0,8}[\"']?)"
)
"""What stands before a secret, on the same line."""
_SECRET: Final = rb"[^\s\"'&,;]"
_HELD: Final = 64
"""No more than this of an unfinished line is needed to see that a secret begins."""


class SecretRedactor:
    """Knows some secrets by heart, and recognises others by the words before them."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({secret.encode() for secret in secrets if secret}, key=len, reverse=True)
        self.known: Final = known
        exact = b"|".join(re.escape(secret) for secret in known) or rb"(?!)"
        self.pattern: Final = re.compile(
            rb"(?P<exact>" + exact + rb")|(?P<before>" + _LOOKS_SECRET + rb")" + _SECRET + rb"+"
        )

    def text(self, value: str) -> str:
        """The same with each secret replaced."""
        stream = self.stream()
        data = stream.feed(value.encode("utf-8", "surrogatepass")) + stream.finish()
        return data.decode("utf-8", "surrogatepass")

    def stream(self) -> "RedactedStream":
        """For bytes that come in pieces."""
        return RedactedStream(self)


class RedactedStream:
    """Bytes that come in pieces, cut anywhere. What may be the beginning of a secret is held back until more is known;
    the rest of a secret that is too long to be held is dropped as it comes."""

    def __init__(self, redactor: SecretRedactor) -> None:
        self._redactor = redactor
        self._held = b""
        self._inside = False

    def feed(self, data: bytes) -> bytes:
        """What may be shown now."""
        return self._pass(data, last=False)

    def finish(self) -> bytes:
        """The rest."""
        return self._pass(b"", last=True)

    def _pass(self, data: bytes, *, last: bool) -> bytes:
        if self._inside:
            data = re.sub(rb"\A" + _SECRET + rb"+", b"", data)
            self._inside = not data and not last
        buffer = self._held + data
        cut = len(buffer) if last else len(buffer) - self._unsure(buffer)
        shown, done = bytearray(), 0
        for match in self._redactor.pattern.finditer(buffer):
            if match.start() >= cut:
                break
            shown += buffer[done : match.start()] + (match["before"] or b"") + REDACTED
            done = match.end()
            self._inside = match["exact"] is None and done == len(buffer) and not last
        shown += buffer[done : max(cut, done)]
        self._held = buffer[max(cut, done) :]
        return bytes(shown)

    def _unsure(self, buffer: bytes) -> int:
        """So many bytes at the end may be the beginning of a secret."""
        line = len(buffer) - 1 - max(buffer.rfind(b"\n"), buffer.rfind(b"\r"))
        most = min(line, _HELD)
        for secret in self._redactor.known:
            for length in range(min(len(secret) - 1, len(buffer)), most, -1):
                if buffer.endswith(secret[:length]):
                    most = length
                    break
        return most
