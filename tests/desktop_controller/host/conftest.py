"""Executors, each over something real."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop_controller.integration.executors import connect_executor
from desktop_controller.integration.ports import Executor
from tests.desktop_controller.host.ssh_servers import SSHD, Keys, asyncssh_server, sshd
from tests.support.containers import images, require_image
from tests.support.machine import not_here

COMMANDS_IMAGE = os.environ.get("COMMANDS_IMAGE") or images.PYTHON_IMAGE or "debian:12-slim"


@pytest.fixture(scope="session")
def real_sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real sshd."""
    if SSHD is None:
        not_here("sshd is not installed", "REQUIRE_SSHD")
    keys = Keys.made_in(tmp_path_factory.mktemp("sshd"))
    with sshd(keys) as port:
        yield keys.url(port)


@pytest.fixture(scope="session")
def ssh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an AsyncSSH server."""
    keys = Keys.made_in(tmp_path_factory.mktemp("asyncssh"))
    with asyncssh_server(keys) as (port, _):
        yield keys.url(port)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[tuple[str, Keys, subprocess.Popen[str]]]:
    """An AsyncSSH server for one test, which may do with it what it likes."""
    keys = Keys.made_in(tmp_path)
    with asyncssh_server(keys) as (port, process):
        yield keys.url(port), keys, process


@pytest.fixture(
    params=["local", "ssh_server", "real_sshd", pytest.param("docker_image", marks=pytest.mark.containers)],
)
def executor(request: pytest.FixtureRequest) -> Executor:
    """Each executor in turn."""
    if request.param == "local":
        return connect_executor("local://")
    if request.param == "docker_image":
        return connect_executor(f"docker://{request.getfixturevalue('docker_image')}?controller=tests")
    return connect_executor(request.getfixturevalue(request.param))


@pytest.fixture(scope="session")
def docker_image() -> str:
    """An image with a shell, or a skipped test."""
    require_image(COMMANDS_IMAGE)
    return COMMANDS_IMAGE
