"""Asking a service over HTTP. Nothing of the server is imported."""

from collections.abc import Iterator
from typing import Any, Final

import httpx

from neuroglia.operations.cli.printing import fail

API: Final = "/api/v1/operations"
_NO_SERVICE: Final = "What answers is no such service, or has no operations. See --url."
_MEDIA: Final = {"application/json", "application/problem+json", "text/event-stream"}


def connect(url: str, token: str) -> httpx.Client:
    """A client of one service. The command ends when that refuses."""
    if not url.startswith(("http://", "https://")):
        fail("--url begins with http:// or https://.", 2)
    if not (token := token.strip()).isascii() or not token.isprintable():  # an error of the library would quote it
        fail("--token holds what no token holds.", 2)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(base_url=url, headers=headers, timeout=30, event_hooks={"response": [_check]})


def items(client: httpx.Client, path: str, **parameters: Any) -> Iterator[Any]:
    """The items of a list, asked for page by page."""
    wanted = {name: value for name, value in parameters.items() if value is not None}
    while True:
        page = client.get(API + path, params={"limit": 200, **wanted}).json()
        yield from page["items"]
        if page["next_cursor"] is None:
            return
        wanted["after"] = page["next_cursor"]


def follow(client: httpx.Client, path: str, **parameters: Any) -> Iterator[str]:
    """The data of Server-Sent Events, until the service ends them."""
    with client.stream("GET", API + path, params=parameters, timeout=httpx.Timeout(30, read=None)) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: "):
                yield line.removeprefix("data: ")


def _check(answer: httpx.Response) -> None:
    if answer.headers.get("content-type", "").partition(";")[0] not in _MEDIA:
        fail(_NO_SERVICE, 3)
    if answer.status_code == 404 and answer.url.path.startswith(f"{API}/events"):
        fail("This service keeps no events, or has no operations.", 2)
    if answer.is_error and not answer.url.path.endswith("/health/ready"):  # which tells what is down
        answer.read()
        problem = answer.json()
        if "title" not in problem:
            fail(_NO_SERVICE, 3)
        places = "".join(f" {error['pointer']}: {error['detail']}" for error in problem.get("errors") or ())
        see = " See --token." if answer.status_code in {401, 403} else ""
        fail(f"{answer.status_code} {problem['title']}: {problem.get('detail')}{places}{see}", 2)
