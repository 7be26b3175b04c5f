"""Tells the story while it happens: each request, each answer, and whether it is the one that was promised."""

import json
import os
import sys
import textwrap
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import httpx

from deployment.processes import until

_WIDTH = 100
_SETTLE_S = 20.0


class Difference(Exception):
    """An answer was not the one that the story promises."""


class Narrator:
    """Sends requests, checks their answers, and prints both so that a person can follow."""

    def __init__(self) -> None:
        self._client = httpx.Client()
        self.requests = 0
        self._position: str | None = None
        self._chapter = 0
        self._in_colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def connect(self, url: str) -> None:
        """From now on, requests go there."""
        self.close()
        self._client = httpx.Client(base_url=url, timeout=30)
        self._position = None

    def close(self) -> None:
        """Ends the story."""
        self._client.close()

    def sign_in(self, token: str | None, *, key: str | None = None) -> None:
        """From now on, requests carry this token, or this API key, or nothing."""
        for name, value in (("authorization", token and f"Bearer {token}"), ("x-api-key", key)):
            self._client.headers.pop(name, None)
            if value is not None:
                self._client.headers[name] = value

    def title(self, text: str) -> None:
        """The name of the story."""
        print(f"\n{self._style(text, '1')}\n{'═' * len(text)}")

    def chapter(self, text: str, *lines: str) -> None:
        """A new part of the story, and what it shows."""
        self._chapter += 1
        print(f"\n{self._style(f'{self._chapter}. {text}', '1;36')}")
        self.say(*lines)

    def say(self, *lines: str) -> None:
        """A remark."""
        for line in lines:
            print(textwrap.fill(line, _WIDTH, initial_indent="   ", subsequent_indent="   "))

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Rows under a head. Numbers stand below each other by their ends."""
        columns = list(zip(head, *rows, strict=True))
        is_number = [all(cell.replace(".", "").isdigit() for cell in column[1:] if cell) for column in columns]
        widths = [max(map(len, column)) for column in columns]
        for number, row in enumerate([head, *rows]):
            cells = [
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(row, widths, is_number, strict=True)
            ]
            line = "   │ " + "   ".join(cells).rstrip()
            print(self._style(line, "2") if number == 0 else line)

    def ask(
        self,
        method: str,
        path: str,
        status: int | Collection[int],
        *,
        body: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        show: str = "",
        expect: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        """Sends a request, with JSON or other content, whose answer must have this status (or one of these) and at
        least these fields.

        `show` is a format of the answer's fields that is printed behind its status. Like any client that wants to
        read its own writes, this one sends back the log position that it was told last.

        Raises:
            Difference: it was answered otherwise.
        """
        self.requests += 1
        wait = {"X-Wait-For-Position": self._position} if self._position and method == "GET" else {}
        response = self._client.request(method, path, json=body, content=content, headers={**wait, **(headers or {})})
        self._position = response.headers.get("x-event-position", self._position)
        sent = f" {json.dumps(body)}" if body is not None else ""
        print(self._style("   " + textwrap.shorten(f"{method} {path}{sent}", _WIDTH, placeholder=" …"), "2"))
        is_json = "json" in response.headers.get("content-type", "")
        answer: dict[str, Any] = response.json() if is_json else {}
        if response.status_code not in (promised := {status} if isinstance(status, int) else set(status)):
            raise Difference(f"{method} {path} answered {response.status_code}, not {promised}: {response.text}")
        for name, value in (expect or {}).items():
            if answer.get(name) != value:
                raise Difference(f"{method} {path}: {name} is {answer.get(name)!r}, not {value!r}")
        colour = "32" if response.is_success else "33"
        print(
            f"   {self._style(f'→ {response.status_code}', colour)}  {show.format(**answer) if show else ''}".rstrip()
        )
        return response

    def listen(self, path: str, *, show: str = "", last: str = "end") -> list[Any]:
        """Shows a stream of Server-Sent Events while it comes, each as it is, or in the format `show` of its fields.
        Returns the data of all up to the first that is named `last`; what the event `end` says is left out.

        Raises:
            Difference: there is no such stream.
        """
        self.requests += 1
        print(self._style(f"   GET {path}", "2"))
        heard: list[Any] = []
        with self._client.stream("GET", path, headers={"accept": "text/event-stream"}) as answer:
            if answer.status_code != 200:
                raise Difference(f"GET {path} answered {answer.status_code}, not 200")
            event = ""
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                event = value if name == "event" else event
                if event == "end":
                    break
                if name == "data":
                    heard.append(json.loads(value))
                    text = show.format(**heard[-1]) if show else heard[-1].rstrip("\n")
                    print(textwrap.indent(text, "   │ "), flush=True)
                    if event == last:
                        break
        return heard

    def health(self) -> dict[str, Any]:
        """How the service is."""
        found: dict[str, Any] = self._client.get("/health/ready").json()
        return found

    def settle(self) -> None:
        """Returns when every subscription has passed the last event."""
        until(lambda: all(one["lag"] == 0 for one in self.health()["subscriptions"]), "the read models", _SETTLE_S)

    def _style(self, text: str, code: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._in_colour else text
