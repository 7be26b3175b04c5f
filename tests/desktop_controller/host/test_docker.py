"""Containers: what a program may do in one, and that none is left."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import docker
import pytest

from desktop_controller.integration.clients.docker import DockerExecutor
from desktop_controller.integration.clients.sandbox import COMMAND, CONTROLLER, Sandbox
from desktop_controller.integration.executors import connect_executor
from desktop_controller.integration.ports import CannotExecute
from neuroglia.core.errors import ConfigurationError, Unavailable
from tests.desktop_controller.host.capture import Capture
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration
CONTROLLER_PROGRAM = """
import asyncio, sys
from desktop_controller.integration.executors import connect_executor

class Told:
    def stdout(self, data): sys.stdout.buffer.write(data); sys.stdout.flush()
    stderr = stdout

asyncio.run(connect_executor(sys.argv[1]).run("left", ["sh", "-c", "echo started; sleep 600"], Told()))
"""


def containers_of(controller: str) -> list[str]:
    """The commands of its containers, whatever their state."""
    with closing(docker.from_env()) as engine:
        found = engine.containers.list(all=True, filters={"label": [f"{CONTROLLER}={controller}"]})
        return [container.labels[COMMAND] for container in found]


async def said(executor: DockerExecutor, script: str) -> str:
    capture = Capture()
    await executor.run(str(uuid4()), ["sh", "-c", script], capture)
    return (capture.out + capture.err).decode()


@pytest.fixture
def executor(docker_image: str) -> DockerExecutor:
    return DockerExecutor(Sandbox.of(f"docker://{docker_image}?controller={uuid4()}&pids=20"))


@pytest.mark.containers
async def test_given_a_program_in_a_container_when_it_looks_around_then_it_can_do_next_to_nothing(
    executor: DockerExecutor,
) -> None:
    status = await said(executor, "cat /proc/self/status; id -u; ls /sys/class/net; touch /x; touch /tmp/x; env")

    assert "CapEff:\t0000000000000000" in status
    assert "CapBnd:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert "\n65534\nlo\n" in status
    assert status.count("Read-only file system") == 2
    assert "HOST_EXECUTOR_URL" not in status


@pytest.mark.containers
async def test_given_a_program_in_a_container_when_it_reads_its_limits_then_they_are_those_of_the_url(
    docker_image: str,
) -> None:
    sandbox = Sandbox.of(f"docker://{docker_image}?controller={uuid4()}&memory=48m&cpus=0.5&pids=17")
    version_2 = "cd /sys/fs/cgroup; cat memory.max memory.swap.max cpu.max pids.max"
    version_1 = (
        "cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes; echo 0; "
        "echo $(cat cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us); cat pids/pids.max"
    )
    script = f"if [ -e /sys/fs/cgroup/cgroup.controllers ]; then {version_2}; else {version_1}; fi"

    assert (await said(DockerExecutor(sandbox), script)).splitlines() == [str(48 * 2**20), "0", "50000 100000", "17"]


@pytest.mark.containers
async def test_given_a_program_that_takes_all_memory_when_it_is_run_then_it_is_killed_and_nothing_else(
    docker_image: str,
) -> None:
    sandbox = Sandbox.of(f"docker://{docker_image}?controller={uuid4()}&memory=48m")

    assert (await said(DockerExecutor(sandbox), "tail /dev/zero 2>&1; echo $?")).endswith("137\n")


@pytest.mark.containers
async def test_given_a_fork_bomb_when_it_is_run_then_it_is_bounded(executor: DockerExecutor) -> None:
    text = await said(executor, "for i in $(seq 100); do sleep 5 & done 2>&1")

    assert "ork" in text  # "Cannot fork", as each shell says it


@pytest.mark.containers
async def test_given_programs_that_ended_when_the_engine_is_asked_then_no_container_is_left(
    docker_image: str,
) -> None:
    name = str(uuid4())
    executor = DockerExecutor(Sandbox(docker_image, controller=name))
    await said(executor, "exit 1")
    with pytest.raises(CannotExecute):
        await executor.run("x", ["no-such-program"], Capture())

    assert containers_of(name) == []


@pytest.mark.containers
async def test_given_a_controller_that_was_killed_when_the_next_cleans_up_then_only_what_that_one_left_is_removed(
    docker_image: str,
) -> None:
    url = f"docker://{docker_image}?controller={uuid4()}"
    name = url.rpartition("=")[2]
    first = await asyncio.create_subprocess_exec(sys.executable, "-c", CONTROLLER_PROGRAM, url, stdout=PIPE)
    assert first.stdout is not None
    assert await first.stdout.readline() == b"started\n"
    first.kill()
    await first.wait()
    executor, capture = connect_executor(url), Capture()
    running = asyncio.create_task(executor.run("mine", ["sh", "-c", "echo started; sleep 60"], capture))
    await capture.says(b"started")
    assert sorted(containers_of(name)) == ["left", "mine"]
    await executor.clean_up()

    assert containers_of(name) == ["mine"]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert containers_of(name) == []


@pytest.mark.containers
async def test_given_no_such_image_when_a_program_is_run_then_it_cannot_be_executed(docker_image: str) -> None:
    with pytest.raises(CannotExecute, match="pull it"):
        await connect_executor("docker://127.0.0.1:1/no/image:1").run("x", ["true"], Capture())


@pytest.mark.containers
async def test_given_a_container_that_somebody_removes_when_its_program_runs_then_that_is_told(
    docker_image: str,
) -> None:
    name, capture = str(uuid4()), Capture()
    executor = DockerExecutor(Sandbox(docker_image, controller=name))
    running = asyncio.create_task(executor.run("x", ["sh", "-c", "echo started; sleep 60"], capture))
    await capture.says(b"started")
    await DockerExecutor(Sandbox(docker_image, controller=name)).clean_up()

    outcome = (await asyncio.gather(running, return_exceptions=True))[0]
    assert outcome == -9 or isinstance(outcome, Unavailable)

    async def none_left() -> bool:
        return not await asyncio.to_thread(containers_of, name)

    await eventually(none_left)


async def test_given_no_engine_when_a_program_is_run_then_it_is_unavailable(tmp_path: Path) -> None:
    controller = await asyncio.create_subprocess_exec(  # the SDK forgets a socket that finds nobody: not in our process
        *(sys.executable, "-c", CONTROLLER_PROGRAM, "docker://image"),
        stderr=PIPE,
        env={**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/none.sock"},
    )

    assert b"errors.Unavailable: The Docker engine does not answer" in (await controller.communicate())[1]


@pytest.mark.parametrize(
    ("url", "image", "network"),
    [
        ("docker://image?network=none", "image", "none"),
        ("docker://python:3.13-slim", "python:3.13-slim", "none"),
        ("docker://registry.example:5000/a/b@sha256:00?network=lan", "registry.example:5000/a/b@sha256:00", "lan"),
    ],
)
def test_given_a_url_when_it_is_read_then_it_names_image_and_network(url: str, image: str, network: str) -> None:
    sandbox = Sandbox.of(url)

    assert (sandbox.image, sandbox.network) == (image, network)
    assert sandbox.options("c", ["a"])["network_mode"] == network


@pytest.mark.parametrize(
    "url",
    [
        "docker://",
        "docker://?network=none",
        "docker://image?user=root",
        "docker://image?user=0",
        "docker://image?user=0:0",
        "docker://image?privileged=true",
        "docker://image?memory=0",
        "docker://image?pids=-1",
        "docker://image?cpus=x",
        "docker://image?network=container:x",
        "docker://image?network=none&network=host",
    ],
)
def test_given_a_url_that_asks_for_what_is_not_allowed_when_it_is_read_then_the_start_stops(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"HOST_EXECUTOR_URL: .*write docker://"):
        connect_executor(url)


@pytest.mark.parametrize("url", ["local", "http://x", "", "local://x"])
def test_given_a_url_of_no_executor_when_it_is_read_then_the_start_stops(url: str) -> None:
    with pytest.raises(ConfigurationError, match="HOST_EXECUTOR_URL"):
        connect_executor(url)
