"""A host that is reached over SSH, and what can go wrong on the way."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from urllib.parse import parse_qsl, unquote, urlsplit

import asyncssh

from neuroglia.core.errors import ConfigurationError, Unavailable

_CONNECT_S: Final = 10
_CLOSE_S: Final = 2
_LOST_AFTER: Final = 3
_USAGE: Final = "write ssh://user@host:22?key=/path/to/key&known_hosts=/path/to/known_hosts"


@dataclass(frozen=True, slots=True)
class SshHost:
    """Where it is, who we are there, and by which file we know it. Nothing else is taken from the user's SSH
    configuration: no agent, no other keys, no passwords."""

    address: str
    port: int
    user: str
    key: Path
    known_hosts: Path
    python: str = "python3"
    keep_alive: float = 5.0
    """So often does each side make sure of the other."""

    @classmethod
    def of(cls, url: str) -> Self:
        """The host of a URL.

        Raises:
            ConfigurationError: it does not say what is needed.
        """
        parts = urlsplit(url)
        given = parse_qsl(parts.query, keep_blank_values=True)
        options = dict(given)
        try:
            address, port = parts.hostname, parts.port or 22
        except ValueError as error:
            raise ConfigurationError(f"HOST_EXECUTOR_URL: {error}; {_USAGE}") from None
        if parts.password is not None:
            raise ConfigurationError(f"HOST_EXECUTOR_URL: a password has no place in a URL; {_USAGE}")
        if not address or not parts.username or parts.path not in {"", "/"} or parts.fragment:
            raise ConfigurationError(
                f"HOST_EXECUTOR_URL: the user or the host is missing, or more than asked; {_USAGE}"
            )
        if len(given) > len(options) or not options.keys() <= {"key", "known_hosts", "python"}:
            raise ConfigurationError(f"HOST_EXECUTOR_URL: there is an option that is unknown or there twice; {_USAGE}")
        key, known_hosts = (Path(options.get(name) or "") for name in ("key", "known_hosts"))
        for name, file in (("key", key), ("known_hosts", known_hosts)):
            if not file.is_file():
                raise ConfigurationError(f"HOST_EXECUTOR_URL: {name} names no file; {_USAGE}")
        return cls(address, port, unquote(parts.username), key, known_hosts, options.get("python") or "python3")

    @asynccontextmanager
    async def connected(self) -> AsyncGenerator[asyncssh.SSHClientConnection]:
        """A connection that notices when the host is gone.

        Raises:
            Unavailable: there is none, it is not the host that we know, it does not let us in, or the connection broke.
        """
        with _told():
            try:
                connection = await self._connect()
            except (ValueError, asyncssh.KeyEncryptionError) as error:
                raise Unavailable("Our key for the host, or known_hosts, cannot be read.") from error
            try:
                yield connection
            finally:
                connection.abort()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_CLOSE_S):
                        await connection.wait_closed()

    async def _connect(self) -> asyncssh.SSHClientConnection:
        return await asyncssh.connect(
            self.address,
            self.port,
            username=self.user,
            client_keys=[str(self.key)],
            known_hosts=str(self.known_hosts),
            config=None,
            agent_path=None,
            preferred_auth="publickey",
            connect_timeout=_CONNECT_S,
            login_timeout=_CONNECT_S,
            keepalive_interval=self.keep_alive,
            keepalive_count_max=_LOST_AFTER,
        )


@contextmanager
def _told() -> Generator[None]:
    try:
        yield
    except asyncssh.HostKeyNotVerifiable as error:
        raise Unavailable("The host's key is not the one in known_hosts: nothing was sent to it.") from error
    except asyncssh.PermissionDenied as error:
        raise Unavailable("The host does not accept our key.") from error
    except (asyncssh.Error, OSError, TimeoutError) as error:
        raise Unavailable("The host cannot be reached, or the connection to it broke.") from error
