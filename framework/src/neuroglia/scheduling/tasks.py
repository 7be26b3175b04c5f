"""What a background task is, and finding them."""

import inspect
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import timedelta
from types import ModuleType, NoneType
from typing import Any, Final, Generic, TypeVar

from pydantic import PydanticUserError

from neuroglia.core.codec import JsonCodec
from neuroglia.core.errors import ConfigurationError
from neuroglia.core.generics import arguments, is_variable, name_of
from neuroglia.core.scanning import classes, functions

A_contra = TypeVar("A_contra", contravariant=True)
_DECLARATION: Final = "__background_task__"


class BackgroundTask(ABC, Generic[A_contra]):
    """Base of tasks. The type argument is what a job tells its task: a dataclass or a pydantic model; None, if nothing.

    Each job runs in a scope of its own, as a command with an id that derives from the job, so that the commands which
    its task sends take effect once. What it stages in `Documents[...]`, further jobs included, is committed together
    with its end. A `DomainError` is an answer, and ends the job. When a backing service is `Unavailable`, the job waits
    for it; any other failure counts as an attempt.
    """

    @abstractmethod
    async def run(self, arguments: A_contra, /) -> None:
        """Does what has to be done. It may be begun again after a failure or a death: `JobInfo` tells which attempt it
        is."""


T = TypeVar("T", bound=BackgroundTask[Any])


@dataclass(frozen=True, slots=True)
class background_task:  # noqa: N801 - a decorator, which remembers what it was told
    """Gives a task the name that its jobs are stored with, and says how they are done.

    Attributes:
        name: never changed, for stored jobs have it.
        attempts: after so many the job is dead: parked, until somebody decides.
        first_pause: how long it waits after the first failure, about; each further time twice as long, and never the
            same for all.
        longest_pause: at most so long.
        keep: how long a job that is done stays known, with its key.
        every: a job is enqueued each time that so much time has passed, in whole seconds, counted from a Monday,
            0:00 UTC; once over all replicas. Such a task is a `BackgroundTask[None]`.
        cron: the same at times: minute, hour, day of the month, month and day of the week (mon to sun), in UTC, all of
            which have to fit.
        misfire_grace: a time that was missed for longer, because no replica ran, is left out. None: never.
        coalesce: of several times that were missed, only the last one counts.
    """

    name: str
    _: KW_ONLY
    attempts: int = 3
    first_pause: timedelta = timedelta(seconds=1)
    longest_pause: timedelta = timedelta(minutes=5)
    keep: timedelta = timedelta(days=1)
    every: timedelta | None = None
    cron: str | None = None
    misfire_grace: timedelta | None = None
    coalesce: bool = True

    def __call__(self, task: type[T]) -> type[T]:
        """Decorates it."""
        setattr(task, _DECLARATION, self)
        return task


@dataclass(frozen=True, slots=True)
class TaskType:
    """A task that was found."""

    task: type[BackgroundTask[Any]]
    options: background_task
    codec: JsonCodec[Any]

    def decode(self, arguments: object) -> Any:
        """The arguments in JSON that is already parsed.

        Raises:
            ValueError: they do not fit.
        """
        return self.codec.decode(json.dumps(arguments))


class TaskTypes(dict[str, TaskType]):
    """All of them, by their names."""

    def of(self, task: type[BackgroundTask[Any]]) -> TaskType:
        """What is known of a task.

        Raises:
            ConfigurationError: it was not found when the application was built.
        """
        found = next((known for known in self.values() if known.task is task), None)
        if found is None:
            raise ConfigurationError(f"{task.__name__}: is no task of the package given to add_background_tasks")
        return found


def read_tasks(modules: Sequence[ModuleType]) -> TaskTypes:
    """Finds the tasks in these modules.

    Raises:
        ConfigurationError: one without a name or an `async def run`, two with one name, arguments that cannot be
            stored, options that make no sense.
    """
    found = TaskTypes()
    declared: list[type[Any]] = [one for one in functions(modules, _DECLARATION) if inspect.isclass(one)]
    for task in dict.fromkeys([*declared, *classes(modules, BackgroundTask[Any])]):
        options: background_task | None = vars(task).get(_DECLARATION)
        where = task.__name__
        if options is None:
            raise ConfigurationError(f'{where}: needs a name; write @background_task("name") over it')
        if inspect.isabstract(task) or not inspect.iscoroutinefunction(getattr(task, "run", None)):
            raise ConfigurationError(f"{where}: has no `async def run(self, arguments)`; write one")
        (kind,) = arguments(task, BackgroundTask) or (Any,)
        if kind is Any or is_variable(kind):
            raise ConfigurationError(
                f"{where}: parameter 'arguments' of run has no type; name it, as BackgroundTask[Letter], or [None]"
            )
        if options.name in found:
            raise ConfigurationError(
                f"{where}: {found[options.name].task.__name__} already has the name '{options.name}'; give it another"
            )
        if (wrong := _wrong(options, kind)) is not None:
            raise ConfigurationError(f"{where}: {wrong}")
        try:
            found[options.name] = TaskType(task, options, JsonCodec(kind or NoneType))
        except PydanticUserError:
            raise ConfigurationError(
                f"{where}: parameter 'arguments' is a {name_of(kind)}, which cannot be stored; "
                f"make it a dataclass or a pydantic model"
            ) from None
    return found


def _wrong(options: background_task, kind: Any) -> str | None:
    every, cron = options.every, options.cron
    if options.attempts < 1:
        return f"attempts={options.attempts} is none at all; give it 1 or more"
    if every is not None and cron is not None:
        return "has every= and cron=; keep one"
    if every is not None and (every <= timedelta() or every % timedelta(seconds=1)):
        return f"every={every} is too short or broken; give it whole seconds"
    if options.misfire_grace is not None and options.misfire_grace < timedelta(seconds=1):
        return f"misfire_grace={options.misfire_grace} leaves nothing; give it a second or more, or None"
    if (every is not None or cron is not None) and kind not in {None, NoneType}:
        return "runs at its times and so gets no arguments; derive it from BackgroundTask[None]"
    return None
