"""Projections: classes that turn events into read models."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, get_args, get_origin, get_type_hints, overload

from typing_extensions import override

from neuroglia.core.errors import ConfigurationError
from neuroglia.documents import Documents
from neuroglia.domain import DomainEvent, Envelope

P = TypeVar("P")
E = TypeVar("E", bound=DomainEvent)
Handler = Callable[[Any, DomainEvent, Envelope], Awaitable[None]]


class Projection:
    """Base of projections: one ordered consumer of the service's events, which owns the models it writes.

    Its `@on` methods read and save `Documents[...]`; what they stage is committed together with the checkpoint,
    so an event takes effect once. The name of the checkpoint is the class's name unless `name=` says otherwise:
    after a rename, keep the old one, or the models are built a second time.
    """

    name: ClassVar[str]

    @override
    def __init_subclass__(cls, *, name: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.name = name or cls.__name__


@overload
def on(handler: Callable[[P, E], Awaitable[None]]) -> Callable[[P, E], Awaitable[None]]: ...
@overload
def on(
    handler: Callable[[P, E, Envelope], Awaitable[None]],
) -> Callable[[P, E, Envelope], Awaitable[None]]: ...
def on(handler: Any) -> Any:
    """Marks the method that handles the event type of its first parameter, with or without the envelope."""
    handler.__on__ = True
    return handler


@dataclass(frozen=True, slots=True)
class ProjectionType:
    """A projection class that was read and checked: its handler of each event type, and the models it owns."""

    projection: type[Projection]
    handlers: Mapping[type[DomainEvent], Handler]
    models: frozenset[type[object]]

    @staticmethod
    def read(projection: type[Projection]) -> "ProjectionType":
        """Looks the class through.

        Raises:
            ConfigurationError: an `@on` method without an annotated event, or two for the same one.
        """
        hints = get_type_hints(projection.__init__)
        models = frozenset(get_args(hint)[0] for hint in hints.values() if get_origin(hint) is Documents)
        return ProjectionType(projection, _find_handlers(projection), models)


def _find_handlers(projection: type[Projection]) -> Mapping[type[DomainEvent], Handler]:
    handlers: dict[type[DomainEvent], Handler] = {}
    for owner in reversed(projection.__mro__):
        own: dict[type[DomainEvent], str] = {}
        for name, method in vars(owner).items():
            if not getattr(method, "__on__", False):
                continue
            kinds = [
                get_type_hints(method).get(parameter) for parameter in list(inspect.signature(method).parameters)[1:]
            ]
            match kinds:
                case [type() as kind] if issubclass(kind, DomainEvent):
                    handler = _without_envelope(method)
                case [type() as kind, second] if issubclass(kind, DomainEvent) and second is Envelope:
                    handler = method
                case _:
                    raise ConfigurationError(
                        f"{owner.__name__}.{name}: an @on method takes an event and perhaps its Envelope, annotated"
                    )
            if not inspect.iscoroutinefunction(method):
                raise ConfigurationError(f"{owner.__name__}.{name}: an @on method is a coroutine; write async def")
            if kind in own:
                raise ConfigurationError(f"{owner.__name__}: {own[kind]} and {name} are both @on {kind.__name__}")
            own[kind] = name
            handlers[kind] = handler
    for name, method in inspect.getmembers(projection, inspect.iscoroutinefunction):
        if hasattr(method, "__on__") or name.startswith("_"):
            continue
        taken = list(inspect.signature(method).parameters)[1:2]
        hint = get_type_hints(method).get(taken[0]) if taken else None
        if inspect.isclass(hint) and issubclass(hint, DomainEvent):  # else its read model would be silently wrong
            raise ConfigurationError(
                f"{projection.__name__}.{name}: takes an event but is not marked; "
                f"write @on over it, or begin its name with _"
            )
    return handlers


def _without_envelope(method: Callable[[Any, Any], Awaitable[None]]) -> Handler:
    return lambda projection, event, _: method(projection, event)
