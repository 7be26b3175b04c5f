"""Reading types at run time."""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, Optional, TypeVar, Union

import pytest

from neuroglia.core.generics import arguments, class_bindings, name_of, substitute, words

A = TypeVar("A")
B = TypeVar("B")


class Pair(Generic[A, B]): ...


class Flipped(Pair[B, A], Generic[A, B]): ...


class HalfClosed(Pair[int, B]): ...


class Closed(HalfClosed[str]): ...


class BelowClosed(Closed): ...


class Tagged(Generic[A]): ...


class TaggedText(Tagged[str]): ...


class Mixed(TaggedText, Closed):
    """Inherits from two generic families, with no type arguments of its own."""


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (Pair[int, str], (int, str)),
        (Flipped[int, str], (str, int)),
        (HalfClosed[bytes], (int, bytes)),
        (Closed, (int, str)),
        (BelowClosed, (int, str)),
        (Mixed, (int, str)),
        (Pair, (A, B)),
        (HalfClosed, (int, B)),
        (int, None),
        ("Pair", None),
    ],
)
def test_given_a_class_or_alias_when_asked_for_a_bases_arguments_then_they_are_found_at_any_depth(
    form: Any, expected: Any
) -> None:
    assert arguments(form, Pair) == expected


def test_given_a_class_without_arguments_when_asked_then_there_are_none() -> None:
    class Plain(list[int]): ...

    assert arguments(Plain, list) == (int,)
    assert arguments(type("Raw", (list,), {}), list) == ()


def test_given_nested_variables_when_substituting_then_all_are_replaced() -> None:
    form = Mapping[A, Sequence[Pair[A, B]]]

    assert substitute(form, {A: int, B: str}) == Mapping[int, Sequence[Pair[int, str]]]
    assert substitute(A | None, {A: int}) == int | None
    assert substitute(type[A], {A: int}) == type[int]
    assert substitute(A, {}) is A
    assert substitute(int, {A: str}) is int


def test_given_a_class_when_asked_for_bindings_then_those_of_all_bases_are_told() -> None:
    assert class_bindings(Mixed) == {A: str, B: str} | {A: class_bindings(Mixed)[A]}
    assert class_bindings(Closed)[B] is str


@pytest.mark.parametrize(
    ("form", "name"),
    [
        (int, "int"),
        (Pair[int, str], "Pair[int, str]"),
        (list[Pair[int, None]], "list[Pair[int, None]]"),
        (int | None, "int | None"),
        (Optional[int], "int | None"),  # noqa: UP045 - as older code writes it
        (Union[int, str], "int | str"),  # noqa: UP007
        (A, "A"),
    ],
)
def test_given_a_type_when_named_then_it_reads_as_it_was_written(form: Any, name: str) -> None:
    assert name_of(form) == name


def test_given_a_class_when_said_in_words_then_a_read_model_has_its_aggregates_name() -> None:
    assert words(type("BankAccount", (), {})) == words(type("BankAccountDto", (), {})) == "bank account"
