"""Values as JSON: nothing is guessed, nothing is lost, and text sorts as what it stands for."""

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum

import pytest
from hypothesis import given, strategies as st
from pydantic import BaseModel

from neuroglia.core.codec import JsonCodec

NOON = datetime(2025, 1, 31, 12, 0, tzinfo=UTC)


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Inner:
    at: datetime
    amount: Decimal


@dataclass(frozen=True)
class Everything:
    text: str
    number: int
    at: datetime
    day: date
    colour: Colour
    nothing: str | None
    inners: list[Inner]
    by_name: dict[str, Inner]
    later: datetime | None = None
    tags: frozenset[str] = frozenset()


class Model(BaseModel):
    at: datetime | None = None
    amounts: list[Decimal] = []


class Outer(BaseModel):
    inner: Model


FULL = Everything(
    text="007",
    number=7,
    at=NOON,
    day=date(2025, 1, 31),
    colour=Colour.RED,
    nothing=None,
    inners=[Inner(NOON, Decimal("12.50"))],
    by_name={"a": Inner(NOON + timedelta(microseconds=1), Decimal("-0.10"))},
    tags=frozenset({"x"}),
)


def test_given_a_value_when_encoded_and_decoded_then_it_is_the_same() -> None:
    codec = JsonCodec(Everything)

    assert codec.decode(codec.encode(FULL)) == FULL


def test_given_a_value_when_encoded_then_the_json_is_what_is_promised() -> None:
    assert json.loads(JsonCodec(Everything).encode(FULL)) == {
        "text": "007",
        "number": 7,
        "at": "2025-01-31T12:00:00.000000Z",
        "day": "2025-01-31",
        "colour": "red",
        "nothing": None,
        "inners": [{"at": "2025-01-31T12:00:00.000000Z", "amount": "12.50"}],
        "by_name": {"a": {"at": "2025-01-31T12:00:00.000001Z", "amount": "-0.10"}},
        "later": None,
        "tags": ["x"],
    }


def test_given_text_that_looks_like_something_else_when_decoded_then_it_stays_text() -> None:
    codec = JsonCodec(dict[str, str | int])

    for text in ("007", "2025-01-31", "2025-01-31T12:00:00Z", "true", "null", "1e5", ""):
        assert codec.decode(codec.encode({"a": text})) == {"a": text}


def test_given_a_pydantic_model_in_another_when_encoded_then_its_times_follow_the_same_rules() -> None:
    codec = JsonCodec(Outer)

    assert codec.encode(Outer(inner=Model(at=NOON))) == b'{"inner":{"at":"2025-01-31T12:00:00.000000Z","amounts":[]}}'
    with pytest.raises(ValueError, match="naive"):
        codec.encode(Outer(inner=Model(at=NOON.replace(tzinfo=None))))
    with pytest.raises(ValueError, match="timezone"):
        codec.decode('{"inner": {"at": "2025-01-31T12:00:00"}}')


def test_given_a_time_of_another_zone_when_encoded_then_it_is_written_in_utc() -> None:
    berlin = timezone(timedelta(hours=1))

    assert JsonCodec(Model).encode(Model(at=datetime(2025, 1, 31, 13, tzinfo=berlin))) == (
        b'{"at":"2025-01-31T12:00:00.000000Z","amounts":[]}'
    )


@pytest.mark.parametrize("kind", [datetime, datetime | None, list[datetime], dict[str, datetime]])
def test_given_a_naive_time_anywhere_when_encoded_or_decoded_then_it_is_refused(kind: type[object]) -> None:
    codec = JsonCodec(kind)
    naive = datetime(2025, 1, 31)  # noqa: DTZ001
    shape: object = {list[datetime]: [naive], dict[str, datetime]: {"a": naive}}.get(kind, naive)  # type: ignore[call-overload]

    with pytest.raises(ValueError, match="naive"):
        codec.encode(shape)
    with pytest.raises(ValueError, match="timezone"):
        codec.decode(json.dumps(shape, default=datetime.isoformat))


@given(st.lists(st.datetimes(timezones=st.timezones()), min_size=2))
def test_given_moments_when_encoded_then_their_text_sorts_as_they_do(moments: list[datetime]) -> None:
    codec = JsonCodec(datetime)
    texts: dict[datetime, bytes] = {}
    for moment in moments:
        try:
            texts[moment.astimezone(UTC)] = codec.encode(moment)
        except (ValueError, OverflowError):  # at the very ends of the calendar
            continue

    assert sorted(texts.values()) == [texts[moment] for moment in sorted(texts)]
    assert {len(text) for text in texts.values()} <= {27 + 2}
    assert [codec.decode(text) for text in texts.values()] == [*texts]


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_given_a_decimal_when_encoded_then_it_is_text_and_keeps_its_digits(amount: Decimal) -> None:
    codec = JsonCodec(Decimal)

    encoded = codec.encode(amount)

    assert isinstance(json.loads(encoded), str)
    assert codec.decode(encoded).as_tuple() == amount.as_tuple()


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"at": "yesterday"}', b'{"at": 5', b"\xff"])
def test_given_broken_data_when_decoded_then_it_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        JsonCodec(Model).decode(data)


def test_given_text_that_is_not_unicode_when_encoded_then_it_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="surrogate"):
        JsonCodec(str).encode("\ud800")


def test_given_parsed_json_when_decoded_then_it_is_as_if_it_were_text() -> None:
    codec = JsonCodec(Everything)

    assert codec.decode_mapping(json.loads(codec.encode(FULL))) == FULL


def test_given_a_field_called_type_when_encoded_then_it_is_a_field_like_any_other() -> None:
    @dataclass(frozen=True)
    class Typed:
        type: str
        at: datetime
        schema: dict[str, str] = field(default_factory=dict[str, str])

    codec = JsonCodec(Typed)
    value = Typed("datetime", NOON, {"type": "datetime"})

    assert codec.decode(codec.encode(value)) == value


def test_given_a_type_that_contains_itself_when_encoded_then_its_times_are_written_the_same_way() -> None:
    codec = JsonCodec(Tree)
    tree = Tree(NOON, [Tree(NOON, [])])

    assert codec.encode(tree).count(b"2025-01-31T12:00:00.000000Z") == 2
    assert codec.decode(codec.encode(tree)) == tree


@dataclass
class Tree:
    at: datetime
    children: list["Tree"]


def test_given_a_value_of_another_type_than_declared_when_encoded_then_it_is_refused() -> None:
    """It could be written and never be read again: history cannot be mended."""

    @dataclass
    class Note:
        text: str

    with pytest.raises(ValueError, match="text"):
        JsonCodec(Note).encode(Note(text=5))  # type: ignore[arg-type]
