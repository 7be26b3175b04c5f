"""What the command line shows: whole, on a terminal of 80 columns, too."""

import httpx
import pytest
from rich.console import Console

from neuroglia.operations.cli import printing
from neuroglia.operations.cli.client import _check, connect
from neuroglia.operations.cli.printing import show


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "_CONSOLE", Console(width=80, markup=False, emoji=False, highlight=False))


def test_given_a_value_wider_than_its_column_when_shown_then_it_is_folded_and_nothing_is_cut(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show([{"id": "x" * 100, "error": "y" * 100}], ("id", "error"), as_json=False)

    shown = capsys.readouterr().out
    assert (shown.count("x"), shown.count("y"), "…" in shown) == (100, 100, False)
    assert max(map(len, shown.splitlines())) <= 80


def test_given_columns_that_are_empty_in_every_row_when_shown_then_they_are_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show(
        [{"id": "a", "lag": 0, "error": None}, {"id": "b", "lag": 0, "error": ""}],
        ("id", "lag", "error"),
        as_json=False,
    )

    head = capsys.readouterr().out.splitlines()[1]
    assert [name for name in ("id", "lag", "error") if name in head] == ["id", "lag"]


def test_given_an_id_that_has_to_be_copied_when_shown_then_it_stands_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    id = "f57a76ba-0ca8-577d-bab9-f392d27b964e"
    show([{"id": id, **{f"column {n}": "x" * 20 for n in range(6)}}], ("id", *(f"column {n}" for n in range(6))),
         as_json=False)  # fmt: skip

    shown = capsys.readouterr().out
    assert id in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_given_no_rows_when_shown_then_that_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    show([], ("id", "error"), as_json=False)
    show([], ("id", "error"), as_json=True)

    assert capsys.readouterr().out == "There is nothing.\n[]\n"


@pytest.mark.parametrize("token", ["secret\x00", "secret\nsecret", "sécret", "secret secret\x7f"])
def test_given_a_token_that_no_header_can_hold_then_that_is_told_and_not_the_token(
    capsys: pytest.CaptureFixture[str], token: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        connect("http://test", token)

    assert capsys.readouterr().err == "--token holds what no token holds.\n"


def test_given_a_token_from_a_file_then_its_end_of_line_is_left_out() -> None:
    assert connect("http://test", "secret\n").headers["authorization"] == "Bearer secret"


def test_given_a_url_without_its_scheme_then_it_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        connect("127.0.0.1:8081", "")

    assert capsys.readouterr().err == "--url begins with http:// or https://.\n"


@pytest.mark.parametrize(
    ("status", "answer", "told"),
    [
        (401, {"title": "Not authenticated", "detail": "No."}, "401 Not authenticated: No. See --token.\n"),
        (404, {"detail": "Not Found"}, "What answers is no such service, or has no operations. See --url.\n"),
    ],
)
def test_given_a_refusal_then_it_is_told_with_what_to_look_at(
    capsys: pytest.CaptureFixture[str], status: int, answer: dict[str, str], told: str
) -> None:
    asked = httpx.Request("GET", "http://test/api/v1/operations/jobs")

    with pytest.raises(SystemExit):
        _check(httpx.Response(status, headers={"content-type": "application/json"}, json=answer, request=asked))

    assert capsys.readouterr().err == told


def test_given_a_service_without_events_when_asked_for_them_then_that_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = httpx.Request("GET", "http://test/api/v1/operations/events?limit=200")
    answer = httpx.Response(404, headers={"content-type": "application/problem+json"}, json={}, request=asked)

    with pytest.raises(SystemExit, match="2"):
        _check(answer)

    assert capsys.readouterr().err == "This service keeps no events, or has no operations.\n"
