"""A server to try the MongoDB adapter on: SecantusDB as a process of its own, or what `MONGODB_URI` names."""

import hashlib
import os
import re
import subprocess
import threading
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import pymongo
import pytest
from typing_extensions import override

from deployment.processes import free_port, until

_PYTHON: Final = Path(__file__).parents[2] / ".venv-mongo-peer/bin/python"
_PEER: Final = Path(__file__).with_name("mongo_peer.py")
_START_S: Final = 20.0
_STOP_S: Final = 10.0
_LIFETIME_S: Final = 2.0


def end_transactions(url: str) -> None:
    """Those of all clients of a server: after a death, so that nobody has to wait until it gives up what the dead one
    had in hand. The living try again."""
    with pymongo.MongoClient[dict[str, object]](url) as client:
        client.admin.command("killAllSessions", [])


class MongoServer:
    """Where there is a server, with a database of its own for each place."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._run = uuid.uuid4().hex[:8]
        self._databases: set[str] = set()

    def url(self, place: Path | str = "") -> str:
        """The URL of a place's database; a new place is empty."""
        name = f"neuroglia_{self._run}_{hashlib.sha256(str(place).encode()).hexdigest()[:12]}"
        self._databases.add(name)
        return urlunsplit(urlsplit(self._url)._replace(path=f"/{name}"))

    @contextmanager
    def short_transactions(self) -> Generator[None]:
        """Around what kills processes: a server keeps what the transactions of the dead have changed from everybody
        else for a minute, or for the `transactionLifetimeLimitSeconds` with which a real one is started."""
        yield

    def clear(self) -> None:
        """Removes what was made here."""
        with pymongo.MongoClient[dict[str, object]](self._url) as client:
            for name in self._databases:
                client.drop_database(name)


class Peer(MongoServer):
    """SecantusDB on data in a folder: what it has acknowledged is on the disk."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder = folder
        self._options = options
        self.port = free_port()  # the same again after a restart
        self._process: subprocess.Popen[bytes] | None = None
        super().__init__(f"mongodb://127.0.0.1:{self.port}")

    def start(self) -> None:
        """Starts it, and returns once it listens."""
        settings, log = self._folder / "empty.toml", self._folder / "stderr.log"
        settings.touch()
        where: list[str | Path] = ["--config", settings, "--host", "127.0.0.1", "--port", str(self.port)]
        data: list[str | Path] = ["--storage-path", self._folder / "data", "--cache-size", "128M", "--sync-on-commit"]
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(
                [_PYTHON, _PEER, *where, *data, "--log-level", "INFO", *self._options],
                cwd=self._folder,
                stdout=stderr,
                stderr=stderr,
            )
        until(lambda: self._is_up(log), "the MongoDB peer to listen", _START_S)

    @override
    @contextmanager
    def short_transactions(self) -> Generator[None]:
        """This server has no such setting: here it ends the transactions of all, and the living try again."""
        over = threading.Event()

        def end_them() -> None:
            while not over.wait(_LIFETIME_S):
                end_transactions(self._url)

        ending = threading.Thread(target=end_them)
        ending.start()
        try:
            yield
        finally:
            over.set()
            ending.join()

    def _is_up(self, log: Path) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"the MongoDB peer has ended:\n{log.read_text()[-2000:]}")
        return re.search("listening on", log.read_text()) is not None

    def kill(self) -> None:
        """Ends it like a power cut, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_STOP_S)
            self._process = None


@contextmanager
def mongo_peer(folder: Path, *options: str) -> Iterator[Peer]:
    """A peer that listens, or a skipped test where there is none."""
    if not _PYTHON.exists():
        pytest.skip("the MongoDB peer is not installed; `make test` does that")
    peer = Peer(folder, *options)
    try:
        peer.start()
        yield peer
    finally:
        peer.kill()


@contextmanager
def mongo_server(folder: Path) -> Iterator[MongoServer]:
    """The server of `MONGODB_URI`, which must be a replica set, or else a peer."""
    if url := os.environ.get("MONGODB_URI"):
        server = MongoServer(url)
        yield server
        server.clear()
    else:
        with mongo_peer(folder) as peer:
            yield peer
