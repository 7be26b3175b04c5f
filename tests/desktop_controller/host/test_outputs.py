"""Captured outputs: redacted, capped, followed while they grow, and there after a restart."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from typing_extensions import override

from desktop_controller.integration.outputs import FileOutputs
from desktop_controller.integration.redaction import RedactedStream, SecretRedactor
from neuroglia.core.errors import NotFoundError, Unavailable
from tests.support.waiting import eventually

SECRETS = ["hunter2", "key-a\nkey-b", "ab", "abcd", "pass word"]
CAP = 1024 * 1024
SMALL_CAP = 128 * 1024


@pytest.fixture
def outputs(tmp_path: Path) -> FileOutputs:
    return outputs_in(tmp_path)


def outputs_in(folder: Path) -> FileOutputs:
    return FileOutputs(folder / "outputs", SecretRedactor(SECRETS))


async def collected(pieces: AsyncIterator[tuple[int, bytes]]) -> bytes:
    return b"".join([piece async for _, piece in pieces])


async def test_given_both_streams_when_they_are_captured_then_they_stand_in_their_order(outputs: FileOutputs) -> None:
    writer = outputs.open("c1")
    writer.stdout(b"one\n")
    writer.stderr(b"two\n")
    writer.stdout(b"three \xff\n")
    captured = await writer.close()

    stored = await outputs.read("c1")
    assert stored == b"one\ntwo\nthree \xff\n"
    assert (captured.stdout, captured.stderr) == ("one\nthree \ufffd\n", "two\n")
    assert (captured.output_bytes, captured.truncated) == (len(stored), False)
    assert captured.output_sha256 == hashlib.sha256(stored).hexdigest()


async def test_given_a_restart_when_a_closed_capture_is_asked_for_then_it_is_there(
    outputs: FileOutputs, tmp_path: Path
) -> None:
    writer = outputs.open("c1")
    writer.stdout(b"x" * 200_000)
    await writer.close()
    again = outputs_in(tmp_path)

    assert await again.read("c1") == b"x" * 200_000
    assert await collected(again.follow("c1", 199_990)) == b"x" * 10
    assert await collected(again.follow("c1", 300_000)) == b""


async def test_given_a_controller_that_dies_when_its_capture_is_asked_for_then_what_it_had_is_there(
    outputs: FileOutputs, tmp_path: Path
) -> None:
    writer = outputs.open("c1")
    writer.stdout(b"so far\n")

    async def is_there() -> bool:
        try:
            return await outputs_in(tmp_path).read("c1") == b"so far\n"
        except NotFoundError:
            return False

    await eventually(is_there)
    await writer.close()


async def test_given_too_much_output_when_it_is_captured_then_each_stream_is_capped_and_all_is_counted(
    tmp_path: Path,
) -> None:
    outputs = FileOutputs(tmp_path / "outputs", SecretRedactor(SECRETS), cap=SMALL_CAP)
    writer = outputs.open("c1")
    for _ in range(3):
        writer.stdout(b"o" * 49_999 + b"\n")
        writer.stderr(b"e" * 49_999 + b"\n")
    writer.stdout(b"the end\n")
    captured = await writer.close()

    stored = await outputs.read("c1")
    assert (stored.count(b"e"), len(stored)) == (SMALL_CAP - SMALL_CAP // 50_000, 2 * SMALL_CAP)
    assert captured.output_bytes == 300_008
    assert captured.truncated
    assert captured.stdout.endswith("o\nthe end\n")
    assert len(captured.stdout) == 16 * 1024
    assert captured.output_sha256 == hashlib.sha256(stored).hexdigest()


class Counted(RedactedStream):
    """Notes how much it is fed at once."""

    def __init__(self, known: Sequence[bytes], fed: list[int]) -> None:
        super().__init__(known)
        self.fed = fed

    @override
    def feed(self, data: bytes) -> bytes:
        self.fed.append(len(data))
        return super().feed(data)


class Counting(SecretRedactor):
    """Notes how much of the streams is redacted, and in which pieces."""

    def __init__(self) -> None:
        super().__init__(SECRETS)
        self.fed: list[int] = []

    @override
    def stream(self) -> RedactedStream:
        return Counted([secret.encode() for secret in SECRETS], self.fed)


async def test_given_far_too_much_output_then_no_more_than_is_stored_is_redacted_and_others_have_their_turn(
    tmp_path: Path,
) -> None:
    redactor = Counting()
    writer = FileOutputs(tmp_path / "outputs", redactor, cap=SMALL_CAP).open("c1")
    for _ in range(8):
        writer.stdout(b"x\n" * 32 * 1024)
    closing = asyncio.create_task(writer.close())
    turns = 0
    while not closing.done():
        await asyncio.sleep(0)
        turns += 1

    captured = await closing
    assert (captured.output_bytes, captured.truncated, captured.stdout[-3:]) == (4 * SMALL_CAP, True, "\nx\n")
    assert sum(redactor.fed) == SMALL_CAP + redactor.margin
    assert max(redactor.fed) <= 4096
    assert turns >= len(redactor.fed)


LONG = "".join(f"<{number}>" for number in range(2_000))
"""Of which every part can be told."""


@pytest.mark.parametrize(
    ("secret", "written"),
    [(LONG, LONG), ("key-a\nkey-b", "key-a\nkey-b"), ("z", f"token: {LONG}"), ("z", f"password='{LONG}'")],
    ids=["known", "of two lines", "a word", "quoted"],
)
@pytest.mark.parametrize("cap", [0, 1, 500, 70_000])
async def test_given_secrets_at_every_cut_then_no_part_of_them_is_stored_or_shown(
    tmp_path: Path, secret: str, written: str, cap: int
) -> None:
    outputs = FileOutputs(tmp_path / "outputs", SecretRedactor([secret]), cap=cap)
    for number, before in enumerate((0, 1, 7, 99, 1_000, 5_000, 16_384, 81_000)):
        writer = outputs.open(f"c{number}")
        writer.stdout(("." * before + f" {written} {written}\n").encode() * 30)
        writer.stdout(b"-" * before + b"\n")
        captured = await writer.close()

        stored = (tmp_path / f"outputs/c{number}.log").read_bytes().decode()
        assert len(stored) <= cap
        assert not [part for part in ("<", ">", "key-", "y-a", "y-b") if part in stored + captured.stdout]


async def test_given_secrets_far_beyond_the_cap_then_the_tail_is_shown_without_them(tmp_path: Path) -> None:
    writer = FileOutputs(tmp_path / "outputs", SecretRedactor(SECRETS), cap=10).open("c1")
    for _ in range(30):
        writer.stdout(b"a line\n" * 1000 + b"it is hunter2 and password=xyz\n")

    assert (await writer.close()).stdout.endswith("\na line\nit is [redacted] and password=[redacted]\n")


async def test_given_a_last_line_without_end_far_beyond_the_cap_then_it_is_not_shown(tmp_path: Path) -> None:
    writer = FileOutputs(tmp_path / "outputs", SecretRedactor(SECRETS), cap=10).open("c1")
    writer.stdout(b"password=" + b"x" * 200_000)

    assert (await writer.close()).stdout == "[redacted]"


async def test_given_exactly_the_cap_when_it_is_captured_then_nothing_is_cut(outputs: FileOutputs) -> None:
    writer = outputs.open("c1")
    writer.stdout(b"x" * CAP)

    assert not (await writer.close()).truncated


async def test_given_a_tail_that_is_cut_in_a_character_when_it_is_told_then_it_begins_with_a_whole_one(
    outputs: FileOutputs,
) -> None:
    writer = outputs.open("c1")
    writer.stdout("é".encode() * 10_000 + b"x\n")

    assert set((await writer.close()).stdout) == {"é", "x", "\n"}


async def test_given_followers_when_a_capture_grows_then_each_gets_all_from_its_offset_until_it_is_closed(
    outputs: FileOutputs,
) -> None:
    writer = outputs.open("c1")
    first = asyncio.create_task(collected(outputs.follow("c1", 0)))
    second = asyncio.create_task(collected(outputs.follow("c1", 4)))
    writer.stdout(b"one\n")
    piece = await anext(outputs.follow("c1", 0))
    writer.stdout(b"two\n")
    writer.stderr(b"three\n")
    await writer.close()

    assert piece == (4, b"one\n")
    assert (await first, await second) == (b"one\ntwo\nthree\n", b"two\nthree\n")


async def test_given_a_secret_in_two_reads_when_it_is_captured_then_no_part_of_it_is_stored(
    outputs: FileOutputs, tmp_path: Path
) -> None:
    writer = outputs.open("c1")
    writer.stdout(b"it is hunt")
    writer.stderr(b"hunt\n")
    writer.stdout(b"er2\nand passw")
    writer.stdout(b"ord: xyz")
    captured = await writer.close()

    assert (tmp_path / "outputs/c1.log").read_bytes() == b"hunt\nit is [redacted]\nand password: [redacted]"
    assert captured.stdout == "it is [redacted]\nand password: [redacted]"


@pytest.mark.parametrize("id", ["", "../x", "a/b", "a\0", ".", "x" * 129, "a\n", "a.log"])
async def test_given_an_id_that_is_none_when_it_is_asked_for_then_there_is_nothing(
    outputs: FileOutputs, id: str
) -> None:
    with pytest.raises(NotFoundError):
        await outputs.read(id)
    with pytest.raises(NotFoundError):
        outputs.open(id)


async def test_given_nothing_captured_when_it_is_followed_then_that_is_told(outputs: FileOutputs) -> None:
    with pytest.raises(NotFoundError):
        await anext(outputs.follow("c1", 0))


async def test_given_a_folder_that_cannot_be_made_when_a_capture_is_closed_then_it_is_unavailable(
    tmp_path: Path,
) -> None:
    (tmp_path / "outputs").write_text("in the way")
    writer = outputs_in(tmp_path).open("c1")

    with pytest.raises(Unavailable):
        await writer.close()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("hunter2", "[redacted]"),
        ("a key-a\nkey-b b", "a [redacted] b"),
        ("abcd abc", "[redacted] [redacted]c"),
        ("password=pass word", "password=[redacted]"),
        ("Password: x1;y", "Password: [redacted];y"),
        ('password = "a b\\nc" d', 'password = "[redacted]" d'),
        ('{"token": "t0p", "x": 1}', '{"token": "[redacted]", "x": 1}'),
        ("Authorization: Bearer abc.def-x= y", "Authorization: Bearer [redacted] y"),
        ("authorization: basic eHg6eXk=", "authorization: basic [redacted]"),
        ("API_KEY=k&b=1", "API_KEY=[redacted]&b=1"),
        ("password reset", "password reset"),
        ("password:\nnext", "password:\nnext"),
    ],
)
def test_given_a_secret_when_a_text_is_redacted_then_it_is_gone(text: str, shown: str) -> None:
    assert SecretRedactor(SECRETS).text(text) == shown


@given(
    st.lists(
        st.sampled_from([*SECRETS, "Bearer ", "x" * 70, "password=", '"', "y", "\n", " ", "hunter", "a"]), max_size=8
    ),
    st.lists(st.integers(0, 300), max_size=8),
)
def test_given_secrets_when_the_stream_is_cut_anywhere_then_the_same_is_shown(
    words: list[str], cuts: list[int]
) -> None:
    text = "".join(words).encode()
    stream = SecretRedactor(SECRETS).stream()
    places = [0, *sorted(cuts), len(text) + 300]
    shown = b"".join(stream.feed(text[a:b]) for a, b in pairwise(places)) + stream.finish()

    assert shown.decode() == SecretRedactor(SECRETS).text(text.decode())
    assert b"hunter2" not in shown


def test_given_whole_lines_when_they_are_fed_then_they_are_shown_at_once() -> None:
    assert SecretRedactor(SECRETS).stream().feed(b"line\n") == b"line\n"


def test_given_a_secret_without_end_when_it_is_fed_then_nothing_of_it_is_held_or_shown() -> None:
    stream = SecretRedactor().stream()
    shown = [
        stream.feed(b"password=" + b"x" * 100),
        *(stream.feed(b"x" * 10_000) for _ in range(5)),
        stream.feed(b" y\n"),
    ]

    assert b"".join(shown) == b"password=[redacted] y\n"
