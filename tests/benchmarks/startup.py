"""Cold start: from the start of the process to the first answer.

Both sides start from compiled bytecode, as installed packages do: the warm-up writes it to a folder of this run,
whatever PYTHONDONTWRITEBYTECODE says here. Otherwise our sources alone would be compiled at each start.
"""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence

from tests.benchmarks.harness import Figure, Target, compare, in_turns
from tests.benchmarks.servers import free_port, get_request, started, wait_for_200

_ROUNDS = 15
_TINY = Target(most_ratio=1.3)


def measure() -> Sequence[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        bytecode = {"PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": ""}
        subjects = [_app("mediated", bytecode), _app("bare", bytecode), _openbank(bytecode)]
        tiny, bare, openbank = in_turns(subjects, _ROUNDS)
    return [
        compare("cold start, tiny service | bare FastAPI", tiny, bare, _TINY, unit="ms"),
        compare("cold start, OpenBank with both SQLite stores | bare FastAPI", openbank, bare, unit="ms"),
    ]


def _app(name: str, bytecode: Mapping[str, str]) -> Callable[[], float]:
    def start() -> float:
        port = free_port()
        begin = time.perf_counter()
        with started(f"tests.benchmarks.apps.{name}", str(port), environment=bytecode):
            wait_for_200(get_request("/health/live", port), port)
            return (time.perf_counter() - begin) * 1000

    return start


def _openbank(bytecode: Mapping[str, str]) -> Callable[[], float]:
    def start() -> float:
        port = free_port()
        with tempfile.TemporaryDirectory() as folder:
            environment = {**bytecode, "PORT": str(port), "DATA_DIR": folder, "LOG_LEVEL": "WARNING"}
            begin = time.perf_counter()
            with started("openbank", environment=environment):
                wait_for_200(get_request("/health/ready", port), port)
                return (time.perf_counter() - begin) * 1000

    return start
