"""Cursors: they come back as they went, and nothing that others make up gets through."""

import base64
import json

import pytest
from hypothesis import given, strategies as st

from neuroglia.core import MalformedRequest
from neuroglia.core.paging import Scalar, decode_cursor, encode_cursor

scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text() | st.floats(allow_nan=False, allow_infinity=False)  # fmt: skip  # noqa: E501
queries = st.lists(st.text() | st.integers() | st.booleans() | st.tuples(st.text(), st.text()), max_size=4)


@given(queries, st.lists(scalars, max_size=4))
def test_given_a_sort_key_when_encoded_and_decoded_then_it_is_the_same(query: list[object], last: list[Scalar]) -> None:
    cursor = encode_cursor(query, last)

    assert decode_cursor(query, cursor, len(last)) == last
    assert cursor.isascii()
    assert not set(cursor) & set("+/= ")  # fit for a URL as it is


def refused(query: list[object], cursor: str, length: int) -> None:
    with pytest.raises(MalformedRequest):
        decode_cursor(query, cursor, length)


@given(st.text())
def test_given_any_text_when_decoded_then_it_is_refused_as_malformed(cursor: str) -> None:
    refused(["accounts"], cursor, 2)


@given(st.binary())
def test_given_any_bytes_in_base64_when_decoded_then_they_are_refused_as_malformed(data: bytes) -> None:
    refused(["accounts"], base64.urlsafe_b64encode(data).decode(), 2)


json_values = st.recursive(
    scalars | st.floats() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(json_values)
def test_given_any_json_when_decoded_then_it_is_refused_as_malformed(value: object) -> None:
    refused(["accounts"], base64.urlsafe_b64encode(json.dumps(value).encode()).decode(), 2)


@given(queries, queries, st.lists(scalars, min_size=1, max_size=2))
def test_given_the_cursor_of_another_list_when_decoded_then_it_is_refused(
    query: list[object], other: list[object], last: list[Scalar]
) -> None:
    cursor = encode_cursor(query, last)

    if repr(query) != repr(other):
        refused(other, cursor, len(last))
    refused(query, cursor, len(last) + 1)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**63, -(2**63) - 1, "\ud800", [1], {"a": 1}])
def test_given_a_forged_value_that_no_store_can_compare_with_when_decoded_then_it_is_refused(value: object) -> None:
    refused(["accounts"], encode_cursor(["accounts"], [value]), 1)  # type: ignore[list-item]


def test_given_json_that_is_nested_without_end_when_decoded_then_it_is_refused() -> None:
    refused(["accounts"], base64.urlsafe_b64encode(b"[" * 100_000).decode(), 1)


@pytest.mark.parametrize("cursor", ["", "é", "a", "====", "bnVsbA", "W10", "W251bGxd", "\x00"])
def test_given_a_short_broken_cursor_when_decoded_then_it_is_refused(cursor: str) -> None:
    refused([], cursor, 0)
