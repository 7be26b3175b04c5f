"""Each request has one handler, with the result that it promises."""

from abc import ABC
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pytest

from neuroglia.core import ConfigurationError
from neuroglia.dependency_injection import ServiceCollection
from neuroglia.mediation import Command, CommandHandler, HandlerRegistry, Query, QueryHandler, add_handlers
from tests.framework.core.modules import module

T = TypeVar("T")


class Animal: ...


class Cat(Animal): ...


@dataclass(frozen=True)
class Adopt(Command[Animal]):
    name: str


class AdoptHandler(CommandHandler[Adopt, Animal]):
    async def handle(self, request: Adopt) -> Animal:
        return Animal()


class AdoptCat(CommandHandler[Adopt, Cat]):
    """Answers with more than is promised."""

    async def handle(self, request: Adopt) -> Cat:
        return Cat()


class AdoptWrongly(CommandHandler[Adopt, str]):
    async def handle(self, request: Adopt) -> str:
        return ""


@dataclass(frozen=True)
class Feed(Command[None]): ...


class FeedHandler(CommandHandler[Feed, None]):
    async def handle(self, request: Feed) -> None: ...


class FindAll(Query[list[Animal]]): ...


class FindAllHandler(QueryHandler[FindAll, list[Animal]]):
    async def handle(self, request: FindAll) -> list[Animal]:
        return []


class Loose(Command): ...  # type: ignore[type-arg]


class LooseHandler(CommandHandler[Loose, str]):
    async def handle(self, request: Loose) -> str:
        return ""


class Speechless(CommandHandler):  # type: ignore[type-arg]
    async def handle(self, request: Any) -> Any: ...


class Template(CommandHandler[Adopt, T], ABC, Generic[T]):
    """A base with the handling in it; its subclasses fill in the type."""

    async def handle(self, request: Adopt) -> T:
        raise NotImplementedError


class FromTemplate(Template[Animal]): ...


def found(*members: object) -> HandlerRegistry:
    return add_handlers(ServiceCollection(), [module(__name__, *members)])


def refused(*members: object) -> str:
    with pytest.raises(ConfigurationError) as failed:
        found(*members)
    return str(failed.value)


def test_given_requests_and_handlers_when_collected_then_each_has_its_own() -> None:
    registry = found(Adopt, FeedHandler, AdoptHandler, Feed, FindAllHandler, FindAll)

    assert registry.handlers == {Feed: FeedHandler, Adopt: AdoptHandler, FindAll: FindAllHandler}


def test_given_a_handler_that_answers_with_a_subclass_when_collected_then_it_fits() -> None:
    assert found(Adopt, AdoptCat).handlers == {Adopt: AdoptCat}


def test_given_a_handler_from_a_generic_base_when_collected_then_its_types_are_understood() -> None:
    assert found(Adopt, FromTemplate).handlers == {Adopt: FromTemplate}


def test_given_a_request_without_a_handler_when_collected_then_it_is_named() -> None:
    assert refused(Adopt) == "Adopt: has no handler; write AdoptHandler beside it"


def test_given_two_handlers_of_a_request_when_collected_then_both_are_named() -> None:
    assert refused(Adopt, AdoptHandler, AdoptCat) == "Adopt: has two handlers, AdoptHandler and AdoptCat; keep one"


def test_given_a_handler_with_another_result_when_collected_then_both_types_are_named() -> None:
    assert refused(Adopt, AdoptWrongly) == (
        "AdoptWrongly: answers Adopt with str, but Adopt promises Animal; change one of them"
    )


def test_given_a_request_that_promises_nothing_when_collected_then_the_remedy_is_told() -> None:
    assert refused(Loose, LooseHandler) == "Loose: say what answers it, as Command[AccountDto] or Command[None]"


def test_given_a_handler_without_types_when_collected_then_the_remedy_is_told() -> None:
    assert refused(Speechless) == (
        "Speechless: name its request and result, as CommandHandler[OpenAccount, AccountDto]"
    )


def test_given_many_mistakes_when_collected_then_all_are_told_at_once() -> None:
    assert len(refused(Adopt, AdoptWrongly, Feed, Speechless).splitlines()) == 3
