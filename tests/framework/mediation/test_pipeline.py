"""From a request to its handler: scopes, order, commit, conflicts, checks, log."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from decimal import Decimal
from itertools import permutations
from typing import Annotated, Any, ClassVar, assert_type

import pytest
from annotated_types import Ge, MaxLen

from neuroglia.core import (
    ConcurrencyError,
    ConfigurationError,
    InvalidRequest,
    RequestContext,
    current_context,
    use_context,
)
from neuroglia.core.lifecycle import UnitOfWork
from neuroglia.dependency_injection import ServiceCollection, ServiceProvider
from neuroglia.domain import RuleViolation
from neuroglia.mediation import (
    Command,
    CommandHandler,
    HandlerRegistry,
    LogBehavior,
    Mediator,
    PipelineBehavior,
    Proceed,
    Query,
    QueryHandler,
    Request,
    RequestHandler,
    RetryBehavior,
    Stage,
    ValidationBehavior,
    add_handlers,
)
from tests.framework.core.modules import module

Trace = list[Any]


class Scoped:
    """Shows by its identity in which scope somebody is."""


@dataclass(frozen=True)
class Add(Command[int]):
    one: int
    two: int


class AddHandler(CommandHandler[Add, int]):
    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    async def handle(self, request: Add) -> int:
        self.trace.append("handled")
        return request.one + request.two


@dataclass(frozen=True)
class Ask(Query[str]): ...


class AskHandler(QueryHandler[Ask, str]):
    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    async def handle(self, request: Ask) -> str:
        self.trace.append("handled")
        return "answer"


class Refused(RuleViolation):
    code = "refused"


@dataclass(frozen=True)
class Fail(Command[None]):
    secret: str = "hunter2"


class FailHandler(CommandHandler[Fail, None]):
    async def handle(self, request: Fail) -> None:
        raise Refused(f"no, {request.secret}")


@dataclass(frozen=True)
class Outer(Command[None]): ...


@dataclass(frozen=True)
class Inner(Query[Scoped]): ...


class OuterHandler(CommandHandler[Outer, None]):
    def __init__(self, mediator: Mediator, scoped: Scoped, trace: Trace) -> None:
        self.mediator, self.scoped, self.trace = mediator, scoped, trace

    async def handle(self, request: Outer) -> None:
        self.trace.append((self.scoped, await self.mediator.execute(Inner())))


class InnerHandler(QueryHandler[Inner, Scoped]):
    def __init__(self, scoped: Scoped) -> None:
        self.scoped = scoped

    async def handle(self, request: Inner) -> Scoped:
        return self.scoped


class RecordingUnit(UnitOfWork):
    def __init__(self, trace: Trace, scoped: Scoped) -> None:
        self.trace = trace

    def begin(self) -> None:
        self.trace.append("begun")

    async def confirm(self) -> None:
        self.trace.append("confirmed")

    async def commit(self) -> None:
        self.trace.append("committed")


@asynccontextmanager
async def mediating(
    trace: Trace, *members: type[object], behaviors: list[Any] | None = None, unit: bool = False
) -> AsyncIterator[Mediator]:
    services = ServiceCollection()
    services.add_instance(Trace, trace)
    services.add_scoped(Scoped)
    if unit:
        services.add_scoped(UnitOfWork, RecordingUnit)
    for behavior in behaviors or []:
        if isinstance(behavior, PipelineBehavior):
            services.add_instance(PipelineBehavior, behavior)
        else:
            services.add_singleton(PipelineBehavior, behavior)
    services.add_instance(HandlerRegistry, add_handlers(services, [module(__name__, *members)]))
    services.add_singleton(Mediator)
    async with ServiceProvider(services) as provider:
        yield await provider.get(Mediator)


async def test_given_a_request_when_executed_then_its_handlers_result_comes_back() -> None:
    async with mediating([], Add, AddHandler, Ask, AskHandler) as mediator:
        total = assert_type(await mediator.execute(Add(1, 2)), int)
        answer = assert_type(await mediator.execute(Ask()), str)

    assert (total, answer) == (3, "answer")


async def test_given_a_request_without_a_handler_when_executed_then_it_is_named() -> None:
    async with mediating([]) as mediator:
        with pytest.raises(ConfigurationError, match="Ask has no handler in the packages given to add_mediation"):
            await mediator.execute(Ask())


async def test_given_a_handler_that_sends_a_request_when_executed_then_that_runs_in_a_scope_of_its_own() -> None:
    trace: Trace = []
    async with mediating(trace, Outer, OuterHandler, Inner, InnerHandler) as mediator:
        await mediator.execute(Outer())
        await mediator.execute(Outer())

    seen = [scoped for pair in trace for scoped in pair]
    assert len({id(scoped) for scoped in seen}) == 4


async def test_given_a_handler_whose_dependency_is_missing_when_built_then_both_are_named() -> None:
    class Lost: ...

    class Needy(CommandHandler[Add, int]):
        def __init__(self, lost: Lost) -> None: ...

        async def handle(self, request: Add) -> int:
            return 0

    with pytest.raises(ConfigurationError, match="Needy: parameter 'lost' needs Lost, which nobody registered"):
        async with mediating([], Add, Needy):
            pytest.fail("it must not start")


async def test_given_a_unit_of_work_when_a_command_is_done_then_it_is_committed_after_the_handler() -> None:
    trace: Trace = []
    async with mediating(trace, Add, AddHandler, Ask, AskHandler, Fail, FailHandler, unit=True) as mediator:
        await mediator.execute(Add(1, 2))
        assert trace == ["begun", "handled", "confirmed", "committed"]

        trace.clear()
        await mediator.execute(Ask())
        assert trace == ["handled"]  # a query changes nothing

        trace.clear()
        with pytest.raises(Refused):
            await mediator.execute(Fail())
        assert trace == ["begun", "confirmed"]


async def test_given_an_error_that_is_no_refusal_when_a_command_fails_then_what_it_stood_on_is_confirmed_first() -> (
    None
):
    class Broken(CommandHandler[Add, int]):
        async def handle(self, request: Add) -> int:
            raise KeyError("on an old state")

    trace: Trace = []
    async with mediating(trace, Add, Broken, unit=True) as mediator:
        with pytest.raises(KeyError):
            await mediator.execute(Add(1, 2))

    assert trace == ["begun", "confirmed"]


async def test_given_two_units_when_the_second_is_not_confirmed_then_the_first_stores_nothing() -> None:
    class Old(RecordingUnit):
        async def confirm(self) -> None:
            raise conflict()

    trace: Trace = []
    services = ServiceCollection()
    services.add_instance(Trace, trace)
    services.add_scoped(Scoped)
    services.add_scoped(UnitOfWork, RecordingUnit)
    services.add_scoped(UnitOfWork, Old)
    services.add_instance(HandlerRegistry, add_handlers(services, [module(__name__, Add, AddHandler)]))
    services.add_singleton(Mediator)
    async with ServiceProvider(services) as provider:
        with pytest.raises(ConcurrencyError):
            await (await provider.get(Mediator)).execute(Add(1, 2))

    assert "committed" not in trace


async def test_given_a_command_in_a_command_when_it_is_sent_then_what_the_outer_one_stands_on_is_confirmed_first() -> (
    None
):
    class Sends(CommandHandler[Outer, None]):
        def __init__(self, mediator: Mediator) -> None:
            self.mediator = mediator

        async def handle(self, request: Outer) -> None:
            await self.mediator.execute(Add(1, 2))

    trace: Trace = []
    async with mediating(trace, Outer, Sends, Add, AddHandler, unit=True) as mediator:
        await mediator.execute(Outer())

    inner = ["begun", "handled", "confirmed", "committed"]
    assert trace == ["begun", "confirmed", *inner, "confirmed", "committed"]


async def test_given_a_commit_that_fails_when_a_command_runs_then_it_fails() -> None:
    class FailingUnit(RecordingUnit):
        async def commit(self) -> None:
            raise OSError("disk full")

    services = ServiceCollection()
    trace: Trace = []
    services.add_instance(Trace, trace)
    services.add_scoped(Scoped)
    services.add_scoped(UnitOfWork, FailingUnit)
    services.add_instance(HandlerRegistry, add_handlers(services, [module(__name__, Add, AddHandler)]))
    services.add_singleton(Mediator)
    async with ServiceProvider(services) as provider:
        with pytest.raises(OSError, match="disk full"):
            await (await provider.get(Mediator)).execute(Add(1, 2))


# ---- order


class Recorder(PipelineBehavior):
    """Writes down when it is passed."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    async def handle(self, request: Request[Any], proceed: Proceed) -> Any:
        self.trace.append(type(self).__name__)
        return await proceed(request)


class Traces(Recorder):
    stage: ClassVar[Stage] = Stage.TRACE


class Authorises(Recorder):
    stage: ClassVar[Stage] = Stage.AUTHORISE


class Retries(Recorder):
    stage: ClassVar[Stage] = Stage.RETRY


class Validates(Recorder):
    stage: ClassVar[Stage] = Stage.VALIDATE

    def applies_to(self, request: type[Request[Any]], handler: type[RequestHandler[Any, Any]]) -> bool:
        return issubclass(request, Command)


@pytest.mark.parametrize("order", list(permutations([Traces, Authorises, Retries, Validates]))[::5])
async def test_given_behaviors_in_any_order_when_executed_then_they_run_in_the_order_of_their_stages(
    order: tuple[type[PipelineBehavior], ...],
) -> None:
    trace: Trace = []
    async with mediating(trace, Add, AddHandler, Ask, AskHandler, behaviors=[*order]) as mediator:
        await mediator.execute(Add(1, 2))
        await mediator.execute(Ask())

    assert trace[:5] == ["Traces", "Authorises", "Retries", "Validates", "handled"]
    assert trace[5:] == ["Traces", "Authorises", "Retries", "handled"]  # where a behaviour does not apply, it is left


# ---- conflicts


def conflict(stream: str = "s-1") -> ConcurrencyError:
    return ConcurrencyError(stream, 0, 1)


@dataclass(frozen=True)
class Contend(Command[int]):
    """Fails `losses` times with a conflict."""

    losses: int = 0


class ContendHandler(CommandHandler[Contend, int]):
    def __init__(self, trace: Trace, scoped: Scoped) -> None:
        self.trace, self.scoped = trace, scoped

    async def handle(self, request: Contend) -> int:
        self.trace.append(self.scoped)
        if len(self.trace) <= request.losses:
            raise conflict()
        return len(self.trace)


async def test_given_conflicts_when_a_command_runs_then_it_is_tried_again_in_a_new_scope_each_time() -> None:
    trace: Trace = []
    async with mediating(trace, Contend, ContendHandler, behaviors=[RetryBehavior]) as mediator:
        assert await mediator.execute(Contend(losses=3)) == 4

    assert len({id(scoped) for scoped in trace}) == 4


@pytest.mark.parametrize("attempts", [1, 2, 4])
async def test_given_conflicts_without_end_when_a_command_runs_then_it_gives_up_after_so_many_tries(
    attempts: int,
) -> None:
    trace: Trace = []
    retry = RetryBehavior(attempts)
    async with mediating(trace, Contend, ContendHandler, behaviors=[retry]) as mediator:
        with pytest.raises(ConcurrencyError):
            await mediator.execute(Contend(losses=99))

    assert len(trace) == attempts


async def test_given_a_refusal_after_a_conflict_when_a_command_runs_then_it_is_the_answer() -> None:
    trace: Trace = []

    class Stubborn(CommandHandler[Contend, int]):
        async def handle(self, request: Contend) -> int:
            trace.append("tried")
            if len(trace) == 1:
                raise conflict()
            raise Refused("no")

    async with mediating(trace, Contend, Stubborn, behaviors=[RetryBehavior]) as mediator:
        with pytest.raises(Refused):
            await mediator.execute(Contend())

    assert trace == ["tried", "tried"]


async def test_given_a_query_when_it_meets_a_conflict_then_it_is_not_tried_again() -> None:
    trace: Trace = []

    class Confused(QueryHandler[Ask, str]):
        async def handle(self, request: Ask) -> str:
            trace.append("tried")
            raise conflict()

    async with mediating(trace, Ask, Confused, behaviors=[RetryBehavior]) as mediator:
        with pytest.raises(ConcurrencyError):
            await mediator.execute(Ask())

    assert trace == ["tried"]


@dataclass(frozen=True)
class Race(Command[None]):
    stream: str


async def race(streams: list[str]) -> int:
    """Runs one command for each stream, all of which lose their first try. How many second tries ran at once."""
    at_start = asyncio.Barrier(len(streams))
    second_tries: list[str] = []
    most = 0
    running = 0

    class RaceHandler(CommandHandler[Race, None]):
        def __init__(self, trace: Trace) -> None:
            self.trace = trace

        async def handle(self, request: Race) -> None:
            nonlocal most, running
            task = asyncio.current_task()
            if task not in self.trace:
                self.trace.append(task)
                await at_start.wait()
                raise conflict(request.stream)
            running += 1
            most = max(most, running)
            second_tries.append(request.stream)
            for _ in range(5):  # lets the others come, if they can
                await asyncio.sleep(0)
            running -= 1

    async with mediating([], Race, RaceHandler, behaviors=[RetryBehavior]) as mediator:
        await asyncio.gather(*(mediator.execute(Race(stream)) for stream in streams))
    assert sorted(second_tries) == sorted(streams)
    return most


async def test_given_many_losers_on_one_stream_when_they_try_again_then_they_come_one_by_one() -> None:
    assert await race(["s-1"] * 5) == 1


async def test_given_losers_on_different_streams_when_they_try_again_then_none_waits_for_the_other() -> None:
    assert await race(["s-1", "s-2", "s-3"]) == 3


@dataclass(frozen=True)
class Wrap(Command[str]): ...


async def test_given_a_command_in_a_command_when_both_lose_on_one_stream_then_they_do_not_wait_for_each_other() -> None:
    class WrapHandler(CommandHandler[Wrap, str]):
        def __init__(self, mediator: Mediator, trace: Trace) -> None:
            self.mediator, self.trace = mediator, trace

        async def handle(self, request: Wrap) -> str:
            self.trace.append("outer")
            if self.trace.count("outer") == 1:
                raise conflict()
            return f"{await self.mediator.execute(Race('s-1'))}"

    class RaceHandler(CommandHandler[Race, None]):
        def __init__(self, trace: Trace) -> None:
            self.trace = trace

        async def handle(self, request: Race) -> None:
            self.trace.append("inner")
            if self.trace.count("inner") == 1:
                raise conflict()

    trace: Trace = []
    async with mediating(trace, Wrap, WrapHandler, Race, RaceHandler, behaviors=[RetryBehavior]) as mediator:
        async with asyncio.timeout(5):  # not a measure: a deadlock shall fail rather than hang
            await mediator.execute(Wrap())

    assert trace == ["outer", "outer", "inner", "inner"]


# ---- validation


class Colour:
    """A domain class that no validation library knows."""


@dataclass(frozen=True)
class Pay(Command[int]):
    account: Annotated[str, MaxLen(5)]
    amount: Annotated[Decimal, Ge(0)]
    times: int = 1
    colour: Colour | None = None
    limit: ClassVar[int] = 3


class PayHandler(CommandHandler[Pay, int]):
    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    async def handle(self, request: Pay) -> int:
        self.trace.append(request)
        return 1


async def pay(request: Pay) -> Trace:
    trace: Trace = []
    async with mediating(trace, Pay, PayHandler, behaviors=[ValidationBehavior]) as mediator:
        await mediator.execute(request)
    return trace


async def test_given_values_that_fit_when_executed_then_the_handler_gets_the_very_request() -> None:
    request = Pay("a", Decimal("1.50"), colour=Colour())

    (handled,) = await pay(request)

    assert handled is request


@pytest.mark.parametrize(
    ("request_", "pointer", "code"),
    [
        (Pay("a", "1"), "/amount", "is-instance-of"),  # type: ignore[arg-type]
        (Pay("a", 1.5), "/amount", "is-instance-of"),  # type: ignore[arg-type]
        (Pay(b"a", Decimal(1)), "/account", "string-type"),  # type: ignore[arg-type]
        (Pay("a", Decimal(1), times="1"), "/times", "int-type"),  # type: ignore[arg-type]
        (Pay("a", Decimal(1), times=True), "/times", "int-type"),
        (Pay("a", Decimal(1), times=1.0), "/times", "int-type"),  # type: ignore[arg-type]
        (Pay("a", Decimal(1), times=None), "/times", "int-type"),  # type: ignore[arg-type]
        (Pay("a", Decimal(1), colour="red"), "/colour", "is-instance-of"),  # type: ignore[arg-type]
        (Pay("abcdef", Decimal(1)), "/account", "string-too-long"),
        (Pay("a", Decimal(-1)), "/amount", "greater-than-equal"),
    ],
)
async def test_given_a_wrong_type_or_value_when_executed_then_it_is_refused_and_never_converted(
    request_: Pay, pointer: str, code: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await pay(request_)

    (error,) = refused.value.errors
    assert (error.pointer, error.code) == (pointer, code)


async def test_given_several_wrong_values_when_executed_then_all_are_told() -> None:
    with pytest.raises(InvalidRequest) as refused:
        await pay(Pay("abcdef", Decimal(-1), times="1"))  # type: ignore[arg-type]

    assert [error.pointer for error in refused.value.errors] == ["/account", "/amount", "/times"]


async def test_given_a_request_that_is_no_dataclass_when_executed_then_there_is_nothing_to_check() -> None:
    class Plain(Command[None]): ...

    class PlainHandler(CommandHandler[Plain, None]):
        async def handle(self, request: Plain) -> None: ...

    async with mediating([], Plain, PlainHandler, behaviors=[ValidationBehavior]) as mediator:
        await mediator.execute(Plain())


# ---- log


async def test_given_a_log_when_requests_run_then_names_and_outcomes_are_written_and_never_values(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class CrashHandler(CommandHandler[Contend, int]):
        async def handle(self, request: Contend) -> int:
            raise OSError("hunter2")

    members = (Add, AddHandler, Ask, AskHandler, Fail, FailHandler, Contend, CrashHandler)
    with caplog.at_level(logging.DEBUG, "neuroglia.mediation"):
        async with mediating([], *members, behaviors=[LogBehavior]) as mediator:
            await mediator.execute(Add(123456, 2))
            await mediator.execute(Ask())
            with pytest.raises(Refused):
                await mediator.execute(Fail())
            with pytest.raises(OSError, match="hunter2"):
                await mediator.execute(Contend())

    written = [vars(record) for record in caplog.records if record.name == "neuroglia.mediation"]
    assert [(line["levelname"], line["request"], line["outcome"]) for line in written] == [
        ("INFO", "Add", "done"),
        ("DEBUG", "Ask", "done"),
        ("INFO", "Fail", "refused"),
        ("INFO", "Contend", "failed"),
    ]
    assert all(line["duration_ms"] >= 0 for line in written)
    assert not any("hunter2" in str(line) or "123456" in str(line) for line in written)


# -- effects ---------------------------------------------------------------------------------------------------------


class Append(Command[int]):
    __slots__ = ()


class AppendHandler(CommandHandler[Append, int]):
    """Appends, as a repository tells it, and meets a conflict behind that."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    async def handle(self, request: Append) -> int:
        self.trace.append("appended")
        current_context().reply.event_position = len(self.trace)
        raise conflict("documents/x")


@pytest.mark.parametrize("ambient", [True, False])
async def test_given_an_effect_before_the_conflict_when_a_command_runs_then_it_is_not_repeated(ambient: bool) -> None:
    trace: Trace = []
    async with mediating(trace, Append, AppendHandler, behaviors=[RetryBehavior]) as mediator:
        with use_context(RequestContext.new()) if ambient else nullcontext(), pytest.raises(ConcurrencyError):
            await mediator.execute(Append())

    assert trace == ["appended"]
