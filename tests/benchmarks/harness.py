# ruff: noqa: T201
"""Rounds, medians and the table: every figure stands beside its raw limit, measured in the same run."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure has to reach. One of the bounds is enough."""

    least: float | None = None
    least_rate: float | None = None
    least_ratio: float | None = None
    most_ratio: float | None = None
    most: float | None = None

    def met(self, ours: float, ratio: float | None) -> bool:
        return (
            (self.least is not None and ours >= self.least)
            or (self.least_rate is not None and ours >= self.least_rate)
            or (self.most is not None and ours <= self.most)
            or (self.least_ratio is not None and ratio is not None and ratio >= self.least_ratio)
            or (self.most_ratio is not None and ratio is not None and ratio <= self.most_ratio)
        )

    def __str__(self) -> str:
        bounds = [
            None if self.least is None else f">= {self.least:.3g}",
            None if self.least_rate is None else f">= {self.least_rate:,.0f}/s",
            None if self.least_ratio is None else f"ratio >= {self.least_ratio:.3g}",
            None if self.most_ratio is None else f"ratio <= {self.most_ratio:.3g}",
            None if self.most is None else f"<= {self.most:.3g}",
        ]
        return " or ".join(bound for bound in bounds if bound)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: medians over the rounds. Trust the ratio; a busy machine slows both sides down."""

    name: str
    ours: float
    raw: float | None = None
    ratio: float | None = None
    unit: str = "/s"
    target: Target | None = None

    @property
    def verdict(self) -> str:
        if self.target is None:
            return "-"
        return "ok" if self.target.met(self.ours, self.ratio) else "MISSED"


def compare(
    name: str, ours: Sequence[float], raw: Sequence[float], target: Target | None = None, unit: str = "/s"
) -> Figure:
    """The figure of samples that were taken in turns, one of each per round."""
    mine, limit = statistics.median(ours), statistics.median(raw)
    return Figure(name, mine, limit, mine / limit, unit, target)


def in_turns(subjects: Sequence[Callable[[], float]], rounds: int) -> list[list[float]]:
    """The samples of each subject. Who begins changes from round to round; the first round only warms up."""
    samples: list[list[float]] = [[] for _ in subjects]
    for number in range(rounds + 1):
        order = list(range(len(subjects)))
        for index in order[number % len(order) :] + order[: number % len(order)]:
            sample = subjects[index]()
            if number:
                samples[index].append(sample)
    return samples


def rate_of(call: Callable[[], Awaitable[Any]], times: int) -> Callable[[], float]:
    """A subject: how many times a second the coroutine function can be awaited."""

    async def measure() -> float:
        start = time.perf_counter()
        for _ in range(times):
            await call()
        return times / (time.perf_counter() - start)

    return lambda: asyncio.run(measure())


def print_table(figures: Sequence[Figure]) -> None:
    rows = [("figure", "ours", "raw", "ratio", "target", "")]
    rows += [
        (
            figure.name,
            _show(figure.ours, figure.unit),
            "-" if figure.raw is None else _show(figure.raw, figure.unit),
            "-" if figure.ratio is None else f"{figure.ratio:.3f}",
            str(figure.target or "-"),
            figure.verdict,
        )
        for figure in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [cell.rjust(width) if 0 < column < 4 else cell.ljust(width)
                 for column, (cell, width) in enumerate(zip(row, widths, strict=True))]  # fmt: skip
        print("  ".join(cells).rstrip())


def _show(number: float, unit: str) -> str:
    return f"{number:,.{0 if number >= 100 else 2}f} {unit}"


def as_json(figure: Figure) -> dict[str, Any]:
    return {**asdict(figure), "target": str(figure.target or "") or None, "verdict": figure.verdict}
