"""Asking a service over HTTP. Nothing of the server is imported."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx

_API: Final = "/api/v1/operations"


class Failure(Exception):
    """What the user is told instead of an answer, and the exit code."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


class Client:
    """The admin API of one service."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, method: str, path: str, **request: Any) -> Any:
        """The answer's JSON; `path` is below the API unless it begins with /health.

        Raises:
            Failure: the service refuses, or cannot be reached.
        """
        with self._asking(method, path, timeout=30, **request) as answer:
            answer.read()
            return answer.json()

    def follow(self, path: str, **request: Any) -> Iterator[str]:
        """The data of Server-Sent Events, until the service ends them. Raises like `ask`."""
        with self._asking("GET", path, timeout=httpx.Timeout(30, read=None), **request) as answer:
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    yield line.removeprefix("data: ")

    def pages(self, path: str, limit: int, **parameters: Any) -> list[Any]:
        """The first items of a list."""
        found: list[Any] = []
        while len(found) < limit:
            page = self.ask("GET", path, params={**parameters, "limit": min(limit - len(found), 200)})
            found += page["items"]
            if page["next_cursor"] is None:
                break
            parameters["after"] = page["next_cursor"]
        return found

    @contextmanager
    def _asking(self, method: str, path: str, **request: Any) -> Generator[httpx.Response]:
        health = path.startswith("/health")
        try:
            url = self.url + ("" if health else _API) + path
            with httpx.stream(method, url, headers=self._headers, **request) as answer:
                if answer.is_error and not (health and answer.status_code == 503):  # which tells what is down
                    answer.read()
                    problem = answer.json()
                    raise Failure(f"{answer.status_code} {problem['title']}: {problem['detail']}", 2)
                yield answer
        except (httpx.TransportError, httpx.InvalidURL) as error:
            told = f"Nobody answers at {self.url} ({type(error).__name__}). Is the service running? See --url."
            raise Failure(told, 3) from None
        except (ValueError, LookupError, TypeError):  # no JSON, or other JSON than ours
            raise Failure(
                f"What answers at {self.url} is no such service, or has no operations. See --url.", 3
            ) from None
