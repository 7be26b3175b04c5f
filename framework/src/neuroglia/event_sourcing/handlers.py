"""What a subscriber is: a class whose `@on` methods take events."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Final,
    TypeGuard,
    TypeVar,
    get_args,
    get_origin,
    overload,
)

from typing_extensions import override

from neuroglia.core.errors import ConfigurationError
from neuroglia.core.generics import annotations
from neuroglia.documents import Documents
from neuroglia.domain import DomainEvent, Envelope

if TYPE_CHECKING:
    from neuroglia.event_sourcing.subscriptions import SubscriptionRunner

P = TypeVar("P")
R = TypeVar("R")
E = TypeVar("E", bound=DomainEvent)
Handler = Callable[[Any, DomainEvent, Envelope], Any]
ATTEMPTS: Final = 3


class Subscriber:
    """Base of what follows the log: `Projection` and `Reaction`.

    Attributes:
        name: of the checkpoint; the class's name unless `name=` says otherwise. After a rename, keep the old one,
            or all events are handled a second time.
        attempts: after so many failures of one event, it is parked together with what follows it in its stream.
        runner: what runs it, if it is not what runs the others of its kind.
        pure: whether its `@on` methods are plain functions, of which the runner carries out what they return.
    """

    name: ClassVar[str]
    attempts: ClassVar[int]
    pure: ClassVar[bool] = False
    runner: ClassVar["type[SubscriptionRunner] | None"] = None

    @override
    def __init_subclass__(cls, *, name: str | None = None, attempts: int = ATTEMPTS, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.name = name or cls.__name__
        cls.attempts = attempts


@overload
def on(handler: Callable[[P, E], R]) -> Callable[[P, E], R]: ...
@overload
def on(handler: Callable[[P, E, Envelope], R]) -> Callable[[P, E, Envelope], R]: ...
def on(handler: Any) -> Any:
    """Marks the method that handles the event type of its first parameter, with or without the envelope."""
    handler.__on__ = True
    return handler


@dataclass(frozen=True, slots=True)
class SubscriberType:
    """A subscriber class that was read and checked: its handler of each event type, and the models it writes."""

    subscriber: type[Subscriber]
    handlers: Mapping[type[DomainEvent], Handler]
    models: frozenset[type[object]]

    @staticmethod
    def read(subscriber: type[Subscriber]) -> "SubscriberType":
        """Looks the class through.

        Raises:
            ConfigurationError: an `@on` method without an annotated event, or two for the same one.
        """
        hints = annotations(subscriber.__init__)
        models = frozenset(get_args(hint)[0] for hint in hints.values() if get_origin(hint) is Documents)
        return SubscriberType(subscriber, _find_handlers(subscriber), models)


def _find_handlers(subscriber: type[Subscriber]) -> Mapping[type[DomainEvent], Handler]:
    handlers: dict[type[DomainEvent], Handler] = {}
    for owner in reversed(subscriber.__mro__):
        own: dict[type[DomainEvent], str] = {}
        for name, method in vars(owner).items():
            if not getattr(method, "__on__", False):
                continue
            match _taken_by(method):
                case [kind, *rest] if _is_event(kind) and rest in ([], [Envelope]):
                    handlers[kind] = method if rest else _without_envelope(method)
                case _:
                    wrong = f"{owner.__name__}.{name}: an @on method takes an event and perhaps its Envelope"
                    raise ConfigurationError(f"{wrong}, annotated")
            if inspect.iscoroutinefunction(method) is subscriber.pure:
                what = "plain function; write def" if subscriber.pure else "coroutine; write async def"
                raise ConfigurationError(f"{owner.__name__}.{name}: an @on method is a {what}")
            if kind in own:
                raise ConfigurationError(f"{owner.__name__}: {own[kind]} and {name} are both @on {kind.__name__}")
            own[kind] = name
    for name, method in inspect.getmembers(subscriber, inspect.iscoroutinefunction):
        passed_over = not hasattr(method, "__on__") and not name.startswith("_")
        if passed_over and any(map(_is_event, _taken_by(method)[:1])):  # it would be silently left out
            wrong = f"{subscriber.__name__}.{name}: takes an event but is not marked"
            raise ConfigurationError(f"{wrong}; write @on over it, or begin its name with _")
    return handlers


def _taken_by(method: Callable[..., object]) -> list[Any]:
    """The types of a method's parameters, as they are annotated."""
    names = list(inspect.signature(method).parameters)[1:]
    return [annotations(method).get(name) for name in names]


def _is_event(kind: object) -> TypeGuard[type[DomainEvent]]:
    return isinstance(kind, type) and issubclass(kind, DomainEvent)


def _without_envelope(method: Callable[[Any, Any], Any]) -> Handler:
    return lambda subscriber, event, _: method(subscriber, event)
