"""Secrets, taken out of what is stored and shown: those that are known, and what looks like one."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from desktop_controller.integration.pieces import begun

REDACTED: Final = b"[redacted]"
_HELD: Final = 64
"""No more than this of an unfinished line is needed to see that a secret begins."""
_NAMED: Final = (
    rb"(?i:(?:password|passwd|passphrase|secret|token|api[_-]?key)[\"']?[ \t]{0,8}[=:][ \t]{0,8}"
    rb"|\b(?:authorization[\"']?[ \t]{0,8}[=:][ \t]{0,8}[\"']?basic|bearer)[ \t]{1,8})"
)
_WORD: Final = rb"[^\s\"'&,;]+"
_QUOTED: Final = rb"[^\"'\r\n]+"
_LOOKS_SECRET: Final = re.compile(
    rb"(?P<quote>" + _NAMED + rb"[\"'])" + _QUOTED + rb"|(?P<before>" + _NAMED + rb")" + _WORD
)
_LINE_END: Final = re.compile(rb"[\r\n]")
_REST_OF_QUOTED: Final = re.compile(_QUOTED)
_REST_OF_WORD: Final = re.compile(_WORD)


class SecretRedactor:
    """Knows some secrets by heart, and recognises others by the words before them on their line."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known = sorted({secret.encode() for secret in secrets if secret}, key=len, reverse=True)
        self._longest = max((len(secret) for secret in self._known), default=0)

    @property
    def margin(self) -> int:
        """No more than this is held back at the end of a stream, or has to be dropped at a beginning that was cut."""
        return 2 * self._longest + _HELD

    def text(self, value: str) -> str:
        """The same with each secret replaced."""
        stream = self.stream()
        data = stream.feed(value.encode("utf-8", "surrogatepass")) + stream.finish()
        return data.decode("utf-8", "surrogatepass")

    def ending(self, data: bytes, size: int) -> bytes:
        """What may be shown of the last bytes of a stream whose beginning nobody has kept.

        The cut may go through a secret. The rest of a known one is in the first bytes, which are dropped; that of one
        which looks like it goes on to the end of its line, so what is shown begins at a line.
        """
        known = _Known(self._known)
        known.feed(data[: 2 * self._longest])
        data = known.feed(data[2 * self._longest :], last=True)
        line = max(data.rfind(end, 0, max(len(data) - size, 0)) for end in (b"\n", b"\r"))
        if line < 0 and (later := _LINE_END.search(data)):
            line = later.start()
        return REDACTED if line < 0 else _Alike().feed(data[line:], last=True)[-size:]

    def stream(self) -> "RedactedStream":
        """For bytes that come in pieces."""
        return RedactedStream(self._known)


class RedactedStream:
    """Bytes that come in pieces, cut anywhere. What may be how a secret begins is held back until more is known."""

    def __init__(self, known: Sequence[bytes]) -> None:
        self._known = _Known(known)
        self._alike = _Alike()

    def feed(self, data: bytes) -> bytes:
        """What may be shown now."""
        return self._alike.feed(self._known.feed(data))

    def finish(self) -> bytes:
        """The rest."""
        return self._alike.feed(self._known.feed(b"", last=True), last=True)


class _Known:
    """Those that are known, longest first."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._secrets = secrets
        self._pattern = re.compile(b"|".join(re.escape(secret) for secret in secrets) or rb"(?!)")
        self._held = b""

    def feed(self, data: bytes, *, last: bool = False) -> bytes:
        data = self._held + data
        cut = len(data) - (0 if last else self._unsure(data))
        shown, done = bytearray(), 0
        for match in self._pattern.finditer(data):
            if match.start() >= cut:
                break
            shown += data[done : match.start()] + REDACTED
            done = match.end()
        cut = max(cut, done)
        self._held = data[cut:]
        return bytes(shown + data[done:cut])

    def _unsure(self, data: bytes) -> int:
        """So many bytes at the end are how a secret begins."""
        return max((begun(data, secret) for secret in self._secrets), default=0)


class _Alike:
    """Those that look like one. Of one that goes on in the next piece nothing is kept: it is dropped as it comes."""

    def __init__(self) -> None:
        self._held: bytes = b""
        self._rest: re.Pattern[bytes] | None = None

    def feed(self, data: bytes, *, last: bool = False) -> bytes:
        if self._rest is not None and data:
            rest = self._rest.match(data)
            data = data[rest.end() :] if rest else data
            self._rest = None if data else self._rest
        data = self._held + data
        line = len(data) - 1 - max(data.rfind(b"\n"), data.rfind(b"\r"))
        cut = len(data) - (0 if last else min(line, _HELD))
        shown, done = bytearray(), 0
        for match in _LOOKS_SECRET.finditer(data):
            if match.start() >= cut:
                break
            before: bytes = match["quote"] or match["before"]
            shown += data[done : match.start()] + before + REDACTED
            done = match.end()
            if done == len(data):
                self._rest = _REST_OF_QUOTED if match["quote"] else _REST_OF_WORD
        cut = max(cut, done)
        self._held = data[cut:]
        return bytes(shown + data[done:cut])
