"""Files over HTTP. That nothing outside the folder is reached is tried where the real folder is tested."""

import pytest

from neuroglia.testing import RunningService, running
from tests.desktop_controller.builders import API
from tests.desktop_controller.conftest import builder_on
from tests.desktop_controller.doubles import FakeHost

FILES = f"{API}/files"
OUTSIDE = [
    "%2e%2e/secret", "a/%2e%2e/%2e%2e/b", "%2Fetc/passwd", "%2Fetc%2Fpasswd", "a%00b", "a//b", "a/%2e/b", "..%2f..%2fb",
    "", "a/",
]  # fmt: skip


async def test_what_was_written_is_read_as_it_was(controller: RunningService, host: FakeHost) -> None:
    content = bytes(range(256))

    written = await controller.when("PUT", f"{FILES}/logs/2025/one.bin", content=content)

    assert written.then(200, events=[]).body == {"path": "logs/2025/one.bin", "size": 256}
    answer = (await controller.when("GET", f"{FILES}/logs/2025/one.bin")).then(200)
    assert answer.response.content == content
    assert host.files.contents == {"logs/2025/one.bin": content}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a.txt", "text/plain; charset=utf-8"), ("a.json", "application/json"), ("a.png", "image/png"),
        ("a.html", "text/html; charset=utf-8"), ("a", "application/octet-stream"),
        ("a.nothing-known", "application/octet-stream"), ("a.txt.gz", "application/octet-stream"),
        ("data:a/%E4%B8%AD,x", "application/octet-stream"), ("data:text/html,x", "application/octet-stream"),
        ("data:text/html,x.txt", "text/plain; charset=utf-8"), ("%E4%B8%AD.%E4%B8%AD", "application/octet-stream"),
    ],
)  # fmt: skip
async def test_a_file_has_the_type_of_its_name_and_is_never_shown_as_a_page(
    controller: RunningService, path: str, kind: str
) -> None:
    await controller.when("PUT", f"{FILES}/{path}", content=b"x")

    headers = (await controller.when("GET", f"{FILES}/{path}")).then(200).response.headers

    assert headers["content-type"] == kind
    assert (headers["x-content-type-options"], headers["content-disposition"]) == ("nosniff", "attachment")


async def test_given_a_file_when_it_is_written_again_then_it_is_replaced(controller: RunningService) -> None:
    for content in (b"first", b"2"):
        (await controller.when("PUT", f"{FILES}/a", content=content)).then(200)

    assert (await controller.when("GET", f"{FILES}/a")).response.content == b"2"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b'{"a": 1, "a": 2}', b"{"])
async def test_any_bytes_are_a_file_whatever_they_are_said_to_be(controller: RunningService, content: bytes) -> None:
    for kind in ("application/json", "text/plain", "x/y"):
        answer = await controller.when("PUT", f"{FILES}/a", content=content, headers={"Content-Type": kind})

        assert answer.then(200).body["size"] == len(content)
        assert (await controller.when("GET", f"{FILES}/a")).response.content == content


async def test_given_the_same_key_twice_then_bytes_that_are_no_text_are_taken(controller: RunningService) -> None:
    key = {"Idempotency-Key": "k"}

    for _ in range(2):
        (await controller.when("PUT", f"{FILES}/a", content=b"\xff\x00", headers=key)).then(200, {"size": 2})
    (await controller.when("PUT", f"{FILES}/a", content=b"\xfe\x00", headers=key)).then(422)

    assert (await controller.when("GET", f"{FILES}/a")).response.content == b"\xff\x00"


@pytest.mark.service
async def test_given_a_body_that_is_too_large_then_it_is_413_and_nothing_is_written(host: FakeHost) -> None:
    async with running(builder_on(host, max_body_bytes=10).build()) as controller:
        (await controller.when("PUT", f"{FILES}/a", content=b"x" * 10)).then(200)

        (await controller.when("PUT", f"{FILES}/a", content=b"x" * 11)).then_refused(413, "too-large")

    assert host.files.contents == {"a": b"x" * 10}


@pytest.mark.parametrize("path", OUTSIDE)
async def test_given_a_path_that_is_none_then_it_is_422_and_nothing_is_written(
    controller: RunningService, host: FakeHost, path: str
) -> None:
    for method in ("GET", "PUT"):
        answer = await controller.when(method, f"{FILES}/{path}", content=b"x" if method == "PUT" else None)

        answer.then_refused(422, "invalid-request")
        assert [error["pointer"] for error in answer.body["errors"]] == ["/path"]
    assert host.files.contents == {}


async def test_given_no_file_then_it_is_404(controller: RunningService) -> None:
    (await controller.when("GET", f"{FILES}/none")).then_refused(404, "not-found")


async def test_files_are_listed_in_the_order_of_their_paths_page_by_page(
    controller: RunningService, host: FakeHost
) -> None:
    host.files.contents = {path: path.encode() for path in ("b", "a/2", "a/1", "ü", "c")}
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await controller.when("GET", FILES, params={"limit": 2, **cursor})).then(200).body
        found += [item["path"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert found == ["a/1", "a/2", "b", "c", "ü"]
    assert page["items"] == [{"path": "ü", "size": 2}]


async def test_given_a_cursor_of_another_list_then_it_is_400(controller: RunningService) -> None:
    for cursor in ("!", "", "e30", "WyJ4IiwxXQ"):
        (await controller.when("GET", FILES, params={"cursor": cursor})).then_refused(400, "malformed-request")


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", ""])
async def test_given_no_limit_that_there_can_be_then_it_is_422(controller: RunningService, limit: str) -> None:
    (await controller.when("GET", FILES, params={"limit": limit})).then_refused(422, "invalid-request")
