"""`docker://`: each program runs in a container that is thrown away.

Whoever can speak to the engine is root on its machine: the controller should not be given its socket without need.
"""

import asyncio
import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from signal import Signals
from typing import Final

from desktop_controller.integration.clients.docker_engine import Container, attached, docker_engine, remove
from desktop_controller.integration.clients.ends import GRACE_S, checked
from desktop_controller.integration.clients.sandbox import COMMAND, CONTROLLER, Sandbox
from desktop_controller.integration.clients.shielded import to_its_end
from desktop_controller.integration.ports import CannotExecute, Output
from neuroglia.core.errors import Unavailable

_THREADS: Final = 64
_LATE_S: Final = 60.0
"""So long may the engine take, beyond the program's own time, to end a container. Then it hangs."""
_SIGNALLED: Final = 128
_INIT_FAILED: Final = b"[FATAL tini ("
"""How the engine's init process begins to say that there is no such program."""

Take = Callable[[bytes, bytes], None]


class DockerExecutor:
    """The SDK blocks: each program has a thread, and one more to end it.

    A container does not tell an exit code above 128 from a signal: it is told as the signal, as shells mean it.
    """

    def __init__(self, sandbox: Sandbox, grace: float = GRACE_S) -> None:
        self.grace = grace
        self._sandbox = sandbox
        self._running: set[str] = set()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="docker")

    async def run(self, command_id: str, argv: Sequence[str], output: Output) -> int:
        loop = asyncio.get_running_loop()
        refused = bytearray()

        async def take(out: bytes, err: bytes) -> None:
            if out:
                output.stdout(out)
            if err:
                refused.extend(err[: len(_INIT_FAILED) - len(refused)])
                output.stderr(err)

        life = ContainerLife(
            self._sandbox,
            command_id,
            checked(argv),
            lambda out, err: asyncio.run_coroutine_threadsafe(take(out, err), loop).result(),  # no faster than we read
        )

        gave_up = asyncio.Event()

        async def give_up() -> int:
            await gave_up.wait()
            return 0

        async def live() -> int:
            living, giving_up = loop.run_in_executor(self._threads, life.live), asyncio.ensure_future(give_up())
            await asyncio.wait([living, giving_up], return_when=asyncio.FIRST_COMPLETED)
            giving_up.cancel()
            return living.result() if living.done() else 0  # nobody will ask

        def end() -> None:
            loop.run_in_executor(self._threads, life.end, self.grace)
            loop.call_later(self.grace + _LATE_S, gave_up.set)

        self._running.add(command_id)
        try:
            code = await to_its_end(live(), on_cancel=end)
        finally:
            self._running.discard(command_id)
        if bytes(refused) == _INIT_FAILED and code in {126, 127}:
            raise CannotExecute("The image has no such program, or it may not be run.")
        return _SIGNALLED - code if _is_signal(code - _SIGNALLED) else code

    async def clean_up(self) -> None:
        """Removes what earlier processes of this controller have left."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._remove_left)

    def _remove_left(self) -> None:
        with docker_engine() as engine:
            mine = {"label": [f"{CONTROLLER}={self._sandbox.controller}"]}
            for container in engine.containers.list(all=True, filters=mine):
                if container.labels.get(COMMAND) not in self._running:
                    remove(container)


class ContainerLife:
    """One container, from its creation to its removal."""

    def __init__(self, sandbox: Sandbox, command_id: str, argv: Sequence[str], take: Take) -> None:
        self._image = sandbox.image
        self._options = sandbox.options(command_id, argv)
        self._take = take
        self._turn = threading.Lock()
        self._started: Container | None = None
        self._ending = False

    def live(self) -> int:
        """Returns its exit code when it is gone."""
        with docker_engine() as engine:
            container = engine.containers.create(self._image, **self._options)
            try:
                with attached(container) as pieces:
                    with self._turn:
                        if self._ending:
                            return 0  # nobody will ask
                        container.start()
                        self._started = container
                    for out, err in pieces:
                        self._take(out, err)
                return container.wait(timeout=None)["StatusCode"]
            finally:
                remove(container)

    def end(self, grace: float) -> None:
        """SIGTERM, and SIGKILL for all in it when that does not help in time."""
        with self._turn:
            if self._ending or self._started is None:
                self._ending = True
                return
            self._ending = True
        with suppress(Unavailable, CannotExecute), docker_engine():
            self._started.stop(timeout=math.ceil(grace))


def _is_signal(number: int) -> bool:
    try:
        Signals(number)
    except ValueError:
        return False
    return True
