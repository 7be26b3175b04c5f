"""What the command line shows: whole, on a terminal of 80 columns, too."""

import httpx
import pytest
from rich.console import Console

from neuroglia.operations.cli import printing
from neuroglia.operations.cli.client import _check
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


def test_given_no_rows_when_shown_then_all_columns_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    show([], ("id", "error"), as_json=False)

    assert "error" in capsys.readouterr().out


def test_given_a_service_without_events_when_asked_for_them_then_that_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = httpx.Request("GET", "http://test/api/v1/operations/events?limit=200")
    answer = httpx.Response(404, headers={"content-type": "application/problem+json"}, json={}, request=asked)

    with pytest.raises(SystemExit, match="2"):
        _check(answer)

    assert capsys.readouterr().err == "This service keeps no events, or has no operations.\n"
