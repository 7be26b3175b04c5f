"""Time, ids, the context, and field errors."""

import uuid
from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import assume, given, strategies as st

from neuroglia.core import (
    FieldError,
    RequestContext,
    SystemClock,
    SystemIds,
    current_context,
    derived_id,
    format_utc,
    parse_utc,
    use_context,
)
from neuroglia.core.context import ambient_context
from neuroglia.core.validation import field_errors


def test_given_a_moment_when_formatted_then_it_has_27_characters_and_ends_in_z() -> None:
    assert format_utc(datetime(2025, 1, 31, 9, 30, tzinfo=UTC)) == "2025-01-31T09:30:00.000000Z"
    assert format_utc(datetime(25, 1, 2, tzinfo=UTC)) == "0025-01-02T00:00:00.000000Z"


def test_given_another_zone_when_formatted_then_it_is_the_same_instant_in_utc() -> None:
    zone = timezone(timedelta(hours=-5, minutes=-30))

    assert format_utc(datetime(2025, 1, 31, 20, tzinfo=zone)) == "2025-02-01T01:30:00.000000Z"


@given(st.datetimes(timezones=st.just(UTC)))
def test_given_a_moment_when_formatted_and_parsed_then_it_is_the_same(moment: datetime) -> None:
    assert parse_utc(format_utc(moment)) == moment


class NoOffset(tzinfo):
    """A zone that does not know its offset: Python calls such a datetime naive."""

    def utcoffset(self, _: datetime | None, /) -> None:
        return None


@pytest.mark.parametrize("zone", [None, NoOffset()])
def test_given_a_naive_moment_when_formatted_then_it_is_refused(zone: tzinfo | None) -> None:
    with pytest.raises(ValueError, match="timezone-aware"):
        format_utc(datetime(2025, 1, 31, tzinfo=zone))


def test_given_a_moment_outside_the_calendar_when_formatted_then_it_is_refused() -> None:
    with pytest.raises(ValueError, match="years 1 to 9999"):
        format_utc(datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))))


def test_given_the_systems_clock_when_asked_then_it_tells_aware_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


def test_given_the_systems_ids_when_many_are_made_then_they_differ_and_sort_by_time() -> None:
    ids = [SystemIds().new() for _ in range(1000)]

    assert len(set(ids)) == 1000
    assert sorted(ids) == ids
    assert {uuid.UUID(id).version for id in ids} == {7}


parts = st.lists(st.text() | st.integers(), max_size=4).map(tuple)


@given(parts, parts)
def test_given_parts_when_derived_then_the_same_give_the_same_id_and_others_another(
    one: tuple[str | int, ...], other: tuple[str | int, ...]
) -> None:
    assert derived_id(*one) == derived_id(*one)
    assert uuid.UUID(derived_id(*one)).version == 5
    assume(one != other)
    assert derived_id(*one) != derived_id(*other)


def test_given_parts_with_the_same_characters_when_derived_then_their_borders_count() -> None:
    ids = {derived_id("a", "b"), derived_id("ab"), derived_id("a\x1fb"), derived_id('a", "b'), derived_id("", "ab")}

    assert len(ids) == 5


@given(st.from_regex(r"[A-Za-z0-9._-]{1,128}", fullmatch=True))
def test_given_a_harmless_correlation_id_when_a_context_is_made_then_it_is_kept(id: str) -> None:
    assert RequestContext.new(id).correlation_id == id


@pytest.mark.parametrize("id", [None, "", "a b", "a\n", "a\r\nX-Admin: 1", "ä", "x" * 129, "a;b", "\x00", "${jndi}"])
def test_given_a_correlation_id_that_could_forge_a_line_when_a_context_is_made_then_it_is_replaced(
    id: str | None,
) -> None:
    made = RequestContext.new(id).correlation_id

    assert made != id
    assert uuid.UUID(made).version == 7


def test_given_a_context_when_used_then_it_is_current_inside_alone() -> None:
    outer, inner = RequestContext.new("outer"), RequestContext.new("inner")

    with use_context(outer):
        with use_context(inner):
            assert current_context() is inner
        assert current_context() is outer
    assert ambient_context() is None
    assert current_context().correlation_id not in {"outer", "inner"}


def test_given_an_error_in_a_context_when_it_passes_then_the_context_is_left() -> None:
    with pytest.raises(RuntimeError), use_context(RequestContext.new("outer")):
        raise RuntimeError

    assert ambient_context() is None


def test_given_findings_when_turned_into_field_errors_then_pointers_follow_rfc_6901() -> None:
    findings = [{"loc": ("body", "a/b", 0, "c~d"), "type": "string_too_short", "msg": "Too short"}]

    assert field_errors(findings, skip=1) == [FieldError("/a~1b/0/c~0d", "string-too-short", "Too short")]


def test_given_a_rule_of_our_own_when_turned_into_a_field_error_then_its_words_alone_are_told() -> None:
    findings = [{"loc": ("amount",), "type": "value_error", "msg": "Value error, an amount is more than zero"}]

    assert field_errors(findings) == [FieldError("/amount", "value-error", "an amount is more than zero")]
