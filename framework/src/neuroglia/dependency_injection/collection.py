"""What can be injected: the registrations, before they are checked and built."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from typing_extensions import TypeForm

T = TypeVar("T")
Make = Callable[..., T] | Callable[..., Awaitable[T]] | Callable[..., AsyncIterator[T]]


class Lifetime(Enum):
    """How long one instance serves."""

    SINGLETON = "singleton"
    """One for the application, made at start and disposed of at the end."""
    SCOPED = "scoped"
    """One for each scope: a message that is handled."""
    TRANSIENT = "transient"
    """A new one for each place that asks."""


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """One way to get a service. `make` is a class or a factory; with `instance` there is nothing to make."""

    service: Any
    lifetime: Lifetime
    make: Callable[..., Any] | None = None
    instance: Any = None


class ServiceCollection:
    """The list of services of one application.

    A service is asked for by its type: a class, or a closed generic such as `Repository[BankAccount]`. What
    makes it is a class, whose constructor says by its annotations what it needs, or a factory: a function, a
    coroutine function, or an async generator function that yields the service once and cleans up in a `finally`.
    What has an `aclose()` is closed with its scope. The last registration of a service wins; `list[Service]` gets
    all of them in order. A parameter of type `Service | None` or with a default may go without.
    """

    def __init__(self) -> None:
        self.registrations: list[Registration] = []
        self.open_registrations: dict[Any, Registration] = {}
        self.remedy: Callable[[Any], str] = lambda _: ""
        """What brings a service that nobody registered; empty, if whoever puts the application together knows none."""

    def add_singleton(self, service: TypeForm[T], make: Make[T] | None = None) -> None:
        """One instance for the application, made at start. Without `make`, the class itself is built."""
        self._add(service, Lifetime.SINGLETON, make)

    def add_scoped(self, service: TypeForm[T], make: Make[T] | None = None) -> None:
        """One instance for each scope."""
        self._add(service, Lifetime.SCOPED, make)

    def add_transient(self, service: TypeForm[T], make: Make[T] | None = None) -> None:
        """A new instance for each place that asks."""
        self._add(service, Lifetime.TRANSIENT, make)

    def add_instance(self, service: TypeForm[T], instance: T) -> None:
        """This very object, which stays its giver's to dispose of."""
        self.registrations.append(Registration(service, Lifetime.SINGLETON, instance=instance))

    def add_open(self, service: type[Any], make: Callable[..., Any], lifetime: Lifetime = Lifetime.SCOPED) -> None:
        """Serves every closed form of a generic service that has no registration of its own.

        `make` is a generic class that implements the service, or a function whose result is annotated with it.
        Its type variables are replaced throughout: a parameter `kind: type[T]` receives the closed argument, one
        of type `Codec[T]` the codec for it.
        """
        self.open_registrations[service] = Registration(service, lifetime, make)

    def _add(self, service: Any, lifetime: Lifetime, make: Callable[..., Any] | None) -> None:
        self.registrations.append(Registration(service, lifetime, make or service))
