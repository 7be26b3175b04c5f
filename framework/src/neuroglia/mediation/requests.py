"""Messages that ask for something, and the classes that answer them."""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

R_co = TypeVar("R_co", covariant=True)
C_contra = TypeVar("C_contra", bound="Request[object]", contravariant=True)


class Request(Generic[R_co]):
    """A message that one handler answers with an `R_co`. Use `Command` or `Query`."""

    __slots__ = ()


class Command(Request[R_co]):
    """A request to change something."""

    __slots__ = ()


class Query(Request[R_co]):
    """A request to tell something; it changes nothing."""

    __slots__ = ()


class RequestHandler(ABC, Generic[C_contra, R_co]):
    """Answers one type of request. Made anew for each message, with what its constructor asks for."""

    @abstractmethod
    async def handle(self, request: C_contra, /) -> R_co:
        """Does what is asked and returns the result."""


class CommandHandler(RequestHandler[C_contra, R_co]):
    """Carries out one type of command. What it staged is committed after `handle` returns, or not at all."""


class QueryHandler(RequestHandler[C_contra, R_co]):
    """Answers one type of query."""
