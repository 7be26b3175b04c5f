"""What every executor must do, tried with real programs."""

import asyncio
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from desktop_controller.integration.ports import CannotExecute, Executor
from tests.desktop_controller.host.capture import Capture, gone, processes

pytestmark = pytest.mark.integration
ECHO = ["sh", "-c", 'printf "%s\\0" "$@"', "sh"]
HOSTILE = [
    "x;id>/tmp/p", "$(id)", "`id`", "a b", "", "'", '"', "\\", "\\n", "a\nb", "*", "~", "!!", "-n", "--", "%s", "&",
    "|", "{a,b}", "$HOME", "#", "é\u202e",
]  # fmt: skip
DETACHED = """
trap '' TERM
setsid sh -c 'trap "" TERM; : "$1"; while :; do sleep 1; done' sh "$1" &
(setsid sh -c ': "$1"; (while :; do sleep 1; done) & exit' sh "$1" &)
echo started
while :; do sleep 1; done
"""


async def run(executor: Executor, *argv: str) -> tuple[int, Capture]:
    capture = Capture()
    return await executor.run(str(uuid4()), argv, capture), capture


async def test_given_a_program_when_it_ends_then_its_exit_code_and_both_streams_are_told(executor: Executor) -> None:
    code, capture = await run(executor, "sh", "-c", "echo out; echo err >&2; exit 7")

    assert (code, capture.out, capture.err) == (7, b"out\n", b"err\n")


@pytest.mark.parametrize("code", [0, 1, 126, 127])
async def test_given_any_exit_code_when_a_program_ends_then_it_is_told_as_it_is(executor: Executor, code: int) -> None:
    assert (await run(executor, "sh", "-c", f"exit {code}"))[0] == code


@pytest.mark.parametrize("signal", [9, 15])
async def test_given_a_program_that_dies_by_a_signal_when_it_ends_then_that_is_told(
    executor: Executor, signal: int
) -> None:
    code, capture = await run(executor, "sh", "-c", f"echo x; kill -{signal} $$; sleep 5")

    assert (code, capture.out) == (-signal, b"x\n")


@pytest.mark.parametrize("program", ["no-such-program", "/no/such/program", "/etc/passwd", "/", ""])
async def test_given_no_such_program_when_it_is_run_then_it_cannot_be_executed(
    executor: Executor, program: str
) -> None:
    with pytest.raises(CannotExecute):
        await run(executor, program)


@pytest.mark.parametrize("argv", [[], ["echo", "a\0b"], ["echo", "\ud800"]])
async def test_given_arguments_that_no_program_can_get_when_it_is_run_then_it_cannot_be_executed(
    executor: Executor, argv: list[str]
) -> None:
    with pytest.raises(CannotExecute):
        await run(executor, *argv)


async def test_given_hostile_arguments_when_they_are_echoed_then_each_is_one_element_as_it_was(
    executor: Executor,
) -> None:
    _, capture = await run(executor, *ECHO, *HOSTILE)

    assert capture.out.decode("utf-8", "surrogateescape").split("\0") == [*HOSTILE, ""]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1, max_size=40))
def test_given_any_texts_when_they_are_echoed_then_each_is_one_element_as_it_was(
    executor: Executor, texts: list[str]
) -> None:
    _, capture = asyncio.run(run(executor, *ECHO, *texts))

    assert capture.out.decode().split("\0") == [*texts, ""]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(min_size=1, max_size=20).filter(lambda data: data.decode(errors="replace").encode() != data), st.text()
)
def test_given_bytes_that_are_no_text_when_they_are_an_argument_then_it_cannot_be_executed(
    executor: Executor, data: bytes, text: str
) -> None:
    """JSON is text, so bytes can only come as surrogates, which are no characters: no program gets any."""
    with pytest.raises(CannotExecute):
        asyncio.run(run(executor, *ECHO, text.replace("\0", ""), data.decode(errors="surrogateescape")))


async def test_given_a_program_that_reads_when_it_is_run_then_there_is_nothing_to_read(executor: Executor) -> None:
    assert (await run(executor, "cat"))[0] == 0


async def test_given_a_flood_on_both_streams_when_a_program_ends_then_all_of_it_was_read(executor: Executor) -> None:
    flood = "head -c 3000000 /dev/zero"
    code, capture = await run(executor, "sh", "-c", f"{flood} >&2; {flood}; {flood} >&2")

    assert (code, capture.seen) == (0, 9_000_000)


async def test_given_a_program_that_closes_its_streams_when_it_goes_on_then_its_end_is_waited_for(
    executor: Executor,
) -> None:
    assert (await run(executor, "sh", "-c", "exec >&- 2>&-; sleep 0.3; exit 3"))[0] == 3


async def test_given_a_program_that_prints_without_end_when_it_is_cancelled_then_it_ends(executor: Executor) -> None:
    capture = Capture(cap=1000)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2):
            await executor.run(str(uuid4()), ["yes"], capture)

    assert capture.out.startswith(b"y\ny\n")


async def test_given_children_that_detach_themselves_when_a_program_is_cancelled_then_all_have_ended(
    executor: Executor,
) -> None:
    mark, capture = str(uuid4()), Capture()
    running = asyncio.create_task(executor.run(mark, ["sh", "-c", DETACHED, "sh", mark], capture))
    await capture.says(b"started")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    await gone(mark, 3)  # a supervisor needs a moment after its last word


async def test_given_children_that_detach_themselves_when_a_program_ends_then_all_have_ended(
    executor: Executor,
) -> None:
    mark = str(uuid4())
    script = """setsid sh -c ': "$1"; while :; do sleep 1; done' sh "$1" & exit 4"""

    assert (await run(executor, "sh", "-c", script, "sh", mark))[0] == 4
    assert not processes(mark)


async def test_given_a_program_that_tidies_up_when_it_is_cancelled_then_it_has_the_time_to(executor: Executor) -> None:
    capture = Capture()
    script = "trap 'echo tidied; exit' TERM; echo started; while :; do sleep 0.1; done"
    running = asyncio.create_task(executor.run(str(uuid4()), ["sh", "-c", script], capture))
    await capture.says(b"started")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert capture.out == b"started\ntidied\n"


@pytest.mark.parametrize("steps", range(0, 40, 3))
async def test_given_a_cancellation_at_any_moment_when_a_program_is_started_then_nothing_is_left(
    executor: Executor, steps: int
) -> None:
    mark = str(uuid4())
    running = asyncio.create_task(executor.run(mark, ["sleep", "60", mark], Capture()))
    for _ in range(steps):
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert running.cancelled()
    await gone(mark, 3)


async def test_given_several_programs_when_they_run_at_the_same_time_then_none_disturbs_another(
    executor: Executor,
) -> None:
    done = await asyncio.gather(*(run(executor, "sh", "-c", f"echo {i}; exit {i}") for i in range(5)))

    assert [(code, capture.out) for code, capture in done] == [(i, f"{i}\n".encode()) for i in range(5)]


async def test_given_nothing_left_behind_when_it_is_cleaned_up_then_nothing_happens(executor: Executor) -> None:
    await executor.clean_up()
