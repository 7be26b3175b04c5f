"""SSH servers: AsyncSSH's, and the real sshd where it is installed."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path

import asyncssh

from deployment.processes import until

ROOT = Path(__file__).parents[3]
SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@dataclass(frozen=True, slots=True)
class Keys:
    """Of a server and of a client, in files."""

    folder: Path

    @property
    def host(self) -> Path:
        return self.folder / "host"

    @property
    def client(self) -> Path:
        return self.folder / "client"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @classmethod
    def made_in(cls, folder: Path) -> "Keys":
        keys = cls(folder)
        for file in (keys.host, keys.client):
            key = asyncssh.generate_private_key("ssh-ed25519")
            key.write_private_key(str(file))
            key.write_public_key(f"{file}.pub")
            file.chmod(0o600)
        return keys

    def url(self, port: int, **more: str) -> str:
        """Of the server, which is known from now on."""
        if not self.known_hosts.exists():
            public = Path(f"{self.host}.pub").read_text()
            self.known_hosts.write_text(f"[127.0.0.1]:{port} {public}")
        query = "&".join(f"{name}={value}" for name, value in more.items())
        return f"ssh://{getuser()}@127.0.0.1:{port}?key={self.client}&known_hosts={self.known_hosts}&{query}".rstrip(
            "&"
        )


@contextmanager
def asyncssh_server(keys: Keys) -> Generator[tuple[int, subprocess.Popen[str]]]:
    """One in a process of its own, which can be killed or stopped. Gives its port, too."""
    command = [sys.executable, "-m", "tests.desktop_controller.host.ssh_servers", str(keys.folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline()), process
        finally:
            process.kill()


async def serve(keys: Keys) -> None:
    """Runs the lines that it is given by /bin/sh, and serves files."""

    async def run(process: asyncssh.SSHServerProcess[bytes]) -> None:
        assert process.command is not None
        child = await asyncio.create_subprocess_shell(process.command, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        assert child.stdin is not None
        feeding = asyncio.create_task(feed(process.stdin, child.stdin))
        with suppress(OSError, asyncssh.Error):
            await asyncio.gather(show(child.stdout, process.stdout), show(child.stderr, process.stderr))
        process.exit(await child.wait())
        feeding.cancel()
        await process.wait_closed()

    async def feed(given: asyncssh.SSHReader[bytes], stdin: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncssh.Error):
            while data := await given.read(65_536):
                stdin.write(data)
                await stdin.drain()
        stdin.close()

    async def show(read: asyncio.StreamReader | None, shown: asyncssh.SSHWriter[bytes]) -> None:
        assert read is not None
        while data := await read.read(65_536):
            shown.write(data)
            await shown.drain()

    acceptor = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[str(keys.host)],
        authorized_client_keys=f"{keys.client}.pub",
        process_factory=run,
        sftp_factory=True,
        encoding=None,
    )
    sys.stdout.write(f"{acceptor.get_port()}\n")
    sys.stdout.flush()
    await acceptor.wait_closed()


@contextmanager
def sshd(keys: Keys) -> Generator[int]:
    """The real one, on a port of its own. Gives the port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = keys.folder / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {keys.host}\nAuthorizedKeysFile {keys.client}.pub\n"
        "PidFile none\nStrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\n"
        "PermitRootLogin prohibit-password\nMaxStartups 100\nSubsystem sftp internal-sftp\n"
    )
    if os.geteuid() == 0:  # then it shuts parts of itself up in there
        Path("/run/sshd").mkdir(exist_ok=True)
    with subprocess.Popen([str(SSHD), "-D", "-f", str(config)], stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: answers(port), "sshd to answer", 10)
            yield port
        finally:
            process.terminate()


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    asyncio.run(serve(Keys(Path(sys.argv[1]))))
