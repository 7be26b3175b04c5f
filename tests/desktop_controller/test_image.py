"""The Desktop Controller's image: it is built, starts, can do little in its container, and ends when it is told to."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from docker.models.containers import Container

from tests.support.containers import images, require_image, sample_container

pytestmark = [pytest.mark.integration, pytest.mark.containers]
ROOT = Path(__file__).parents[2]
PYTHON_IMAGE = images.PYTHON_IMAGE or "python:3.13-slim"
NAME = "neuroglia-tests-desktop-controller:latest"
BOUNDED = {
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
}


@pytest.fixture(scope="module")
def image() -> str:
    """Built as the file says."""
    require_image(PYTHON_IMAGE)
    recipe = ["--file", ROOT / "desktop-controller/Dockerfile", "--build-arg", f"PYTHON_IMAGE={PYTHON_IMAGE}"]
    subprocess.run(["docker", "build", "--quiet", "--tag", NAME, *recipe, ROOT], check=True)
    return NAME


@pytest.fixture
def controller(image: str) -> Iterator[tuple[str, Container]]:
    with sample_container(image, 8082, **BOUNDED) as running:
        yield running


def test_it_runs_as_nobody_in_particular_on_a_disk_that_it_cannot_write_and_ends_when_told(
    controller: tuple[str, Container],
) -> None:
    url, container = controller

    assert httpx.get(f"{url}/health/ready").status_code == 200
    assert httpx.get(f"{url}/api/docs").status_code == 200
    assert httpx.get(f"{url}/api/v1/commands/catalogue").status_code == 401
    assert says(container, "id -u") == (0, "10001")
    assert says(container, "touch /etc/x")[0] != 0
    assert says(container, "touch /opt/venv/x")[0] != 0
    assert says(container, "touch /etc/desktop-controller/commands.toml")[0] != 0
    assert says(container, "ls /data/events.db") == (0, "/data/events.db")
    assert says(container, "grep -c . /etc/desktop-controller/commands.toml")[0] == 0
    assert not [mount for mount in container.attrs["Mounts"] if "docker.sock" in mount["Source"]]
    kind, *check = container.image.attrs["Config"]["Healthcheck"]["Test"]
    assert (kind, container.exec_run(check).exit_code) == ("CMD", 0)

    container.stop(timeout=15)

    container.reload()
    assert container.attrs["State"]["ExitCode"] in {0, 143}, "it had to be killed"


def says(container: Container, line: str) -> tuple[int, str]:
    """How a command in the container ends, and its output."""
    done = container.exec_run(["sh", "-c", line])
    return done.exit_code, done.output.decode().strip()
