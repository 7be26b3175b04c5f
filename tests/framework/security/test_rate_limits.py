"""How often a key may ask."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given, strategies as st

from neuroglia.core import TooManyRequests
from neuroglia.security.api_keys import RateLimits
from neuroglia.security.api_keys.rate_limits import Windows, parse_limit
from neuroglia.testing import FixedClock
from tests.framework.security.keyring import keyring_in_memory


@pytest.mark.service
async def test_a_flood_over_the_limit_gets_exactly_as_many_through_and_hurts_nobody_else() -> None:
    async with keyring_in_memory() as keyring:
        greedy, other = await keyring.issue(rate_limit="20/minute"), await keyring.issue(rate_limit="20/minute")
        answers = await asyncio.gather(*[keyring.shows(greedy.secret) for _ in range(100)])

        assert sorted(answer.status_code for answer in answers) == [200] * 20 + [429] * 80
        late = next(answer for answer in answers if answer.status_code == 429)
        assert late.headers["retry-after"] == "60"
        assert late.json()["type"] == "urn:neuroglia:service:too-many-requests"
        assert (await keyring.shows(other.secret)).status_code == 200
        tokens = keyring.service.tokens.bearer(["r"])
        assert (await keyring.http.get("/api/v1/who", headers=tokens)).status_code == 200


@pytest.mark.service
async def test_after_the_time_that_was_named_one_gets_through_again() -> None:
    async with keyring_in_memory() as keyring:
        key = await keyring.issue(rate_limit="2/minute")
        await keyring.shows(key.secret)
        keyring.clock.advance(timedelta(seconds=20.5))
        await keyring.shows(key.secret)
        late = await keyring.shows(key.secret)
        assert (late.status_code, late.headers["retry-after"]) == (429, "40")

        keyring.clock.advance(timedelta(seconds=39))
        assert (await keyring.shows(key.secret)).headers["retry-after"] == "1"
        keyring.clock.advance(timedelta(seconds=1))
        assert [(await keyring.shows(key.secret)).status_code for _ in range(2)] == [200, 429]


@pytest.mark.service
async def test_who_may_not_ask_learns_nothing_of_limits_and_uses_none_up() -> None:
    async with keyring_in_memory() as keyring:
        key = await keyring.issue(rate_limit="1/day")
        wrong = f"{key.id}.{'A' * 43}"

        for _ in range(3):
            assert (await keyring.shows(wrong)).status_code == 401
            assert (await keyring.shows(key.secret, path="/writers")).status_code == 403
        assert [(await keyring.shows(key.secret)).status_code for _ in range(2)] == [200, 429]
        assert (await keyring.shows(wrong)).status_code == 401
        assert (await keyring.shows(key.secret, path="/writers")).status_code == 403


@pytest.mark.service
async def test_a_rotation_gives_no_second_allowance() -> None:
    async with keyring_in_memory() as keyring:
        key = await keyring.issue(rate_limit="1/hour")
        new = (await keyring.keys.rotate(key.id, timedelta(hours=1))).secret.get_secret_value()

        assert [(await keyring.shows(text)).status_code for text in (key.secret, new)] == [200, 429]


async def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    clock = FixedClock()
    limits = RateLimits(Windows(clock), clock)
    await limits.take("1/minute", "k")
    clock.advance(timedelta(hours=-1))

    await limits.take("1/minute", "k")
    with pytest.raises(TooManyRequests) as late:
        await limits.take("1/minute", "k")
    assert late.value.retry_after == 60


async def test_who_waits_as_long_as_they_were_told_gets_through() -> None:
    clock = FixedClock()
    windows = Windows(clock)
    limits, key = RateLimits(windows, clock), parse_limit("1/minute").key_for("k")
    await limits.take("1/minute", "k")
    with pytest.raises(TooManyRequests) as late:
        await limits.take("1/minute", "k")
    clock.advance(timedelta(seconds=late.value.retry_after))
    assert await windows.get_moving_window(key, 1, 60) == (clock.now().timestamp(), 0)

    await limits.take("1/minute", "k")
    assert await windows.get_moving_window(key, 1, 60) == (clock.now().timestamp(), 1)


async def test_what_is_over_is_forgotten() -> None:
    clock = FixedClock()
    windows = Windows(clock)
    limits = RateLimits(windows, clock)
    for number in range(1_000):
        for _ in range(3):
            await limits.take("3/minute", f"k{number}")
    with pytest.raises(TooManyRequests):
        await limits.take("3/minute", "k0")
    assert len(windows._windows) == 1_000
    assert sum(len(moments) for _, moments in windows._windows.values()) == 3_000

    clock.advance(timedelta(minutes=1))
    await limits.take("3/minute", "one")
    assert len(windows._windows) == 1


@given(
    limit=st.integers(1, 5),
    seconds=st.integers(1, 9),
    steps=st.lists(st.integers(0, 4_000_000), max_size=60),
)
async def test_no_window_wherever_it_lies_holds_more_than_the_limit(limit: int, seconds: int, steps: list[int]) -> None:
    clock = FixedClock()
    limits = RateLimits(Windows(clock), clock)
    window, passed = timedelta(seconds=seconds), list[float]()
    for step in steps:
        clock.advance(timedelta(microseconds=step))
        recent = [moment for moment in passed if moment > clock.now().timestamp() - window.total_seconds()]
        take = limits.take(f"{limit} per {seconds} seconds", "k")
        if len(recent) < limit:
            await take
            passed.append(clock.now().timestamp())
        else:
            with pytest.raises(TooManyRequests) as late:
                await take
            assert 1 <= late.value.retry_after <= seconds


@given(st.text(max_size=50) | st.from_regex(r"\s*[0-9]{1,30}\s*(/|per)\s*[0-9]{0,30}\s*[a-z]{1,8}", fullmatch=True))
def test_whatever_a_limit_says_it_is_bounded_or_refused(text: str) -> None:
    try:
        item = parse_limit(text)
    except ValueError:
        return
    assert 1 <= item.amount <= 10_000
    assert 1 <= item.get_expiry() <= 86_400
