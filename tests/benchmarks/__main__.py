# ruff: noqa: T201
"""`python -m tests.benchmarks`: what the framework costs, beside what can be had without it."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.benchmarks import (
    appends,
    commands,
    deposits,
    dispatch,
    eventstoredb,
    http,
    injection,
    jobs,
    mongo,
    projections,
    prompts,
    reactions,
    rehydration,
    scale,
    startup,
    telemetry,
    transfers,
)
from tests.benchmarks.harness import Figure, as_json, print_table

BENCHMARKS: Final[Mapping[str, Callable[[], Sequence[Figure]]]] = {
    "dispatch": dispatch.measure,
    "injection": injection.measure,
    "http": http.measure,
    "telemetry": telemetry.measure,
    "startup": startup.measure,
    "deposits": deposits.measure,
    "appends": appends.measure,
    "commands": commands.measure,
    "rehydration": rehydration.measure,
    "projections": projections.measure,
    "reactions": reactions.measure,
    "transfers": transfers.measure,
    "jobs": jobs.measure,
    "prompts": prompts.measure,
    "mongo": mongo.measure,
    "eventstoredb": eventstoredb.measure,
    "scale": scale.measure,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", metavar="NAME", action="append", choices=BENCHMARKS, help=f"{', '.join(BENCHMARKS)}")
    parser.add_argument("--json", metavar="FILE", type=Path, help="also write the figures there")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a target is missed")
    options = parser.parse_args()
    figures: list[Figure] = []
    for name in options.only or BENCHMARKS:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        figures += BENCHMARKS[name]()
    print_table(figures)
    if options.json:
        options.json.write_text(json.dumps([as_json(figure) for figure in figures], indent=2) + "\n")
    return 1 if options.strict and any(figure.verdict == "MISSED" for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
