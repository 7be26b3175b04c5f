"""What the running containers are allowed, what is in our images, and what is left at the end."""

import json
import re
import subprocess
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest
from docker.models.containers import Container

from tests.e2e.system import ROOT, SAMPLES, SERVICES, System, system
from tests.support.containers.images import PYTHON_IMAGE

pytestmark = pytest.mark.e2e
BASE = PYTHON_IMAGE or "python:3.13-slim"
OURS = [*SAMPLES, "viewer", "agent"]
ADDED_MB = 120
"""So much may an image add to the Python that it is built on."""
NOT_IN_IMAGES = [
    "pip", "ensurepip", "setuptools", "wheel", "hatchling", "grpc_tools", "uv", "pytest", "debugpy", "tests",
    "deployment.issuer",
]  # fmt: skip
NO_FILES = r"conftest\.py|test_\w+\.py|\.env|\.git.*|.*\.lock|\.\w+_cache|Dockerfile.*|\w+\.db|Makefile"
OF_OTHERS = r"/opt/venv/lib/(?!.*/(neuroglia|openbank|desktop_controller|api_gateway)\b).*|/etc/\.pwd\.lock"
"""What their makers publish stays as it is, and `useradd` leaves its lock."""
WALK = """
import json, os
skipped = {"/proc", "/sys", "/dev"}
found = []
for folder, folders, names in os.walk("/"):
    folders[:] = [one for one in folders if os.path.join(folder, one) not in skipped]
    found += [os.path.join(folder, name) for name in folders + names]
print(json.dumps(found))
"""
DIGESTS = """
import hashlib, json, pathlib
files = sorted(one for one in pathlib.Path("/opt/venv").rglob("*") if one.is_file())
print(json.dumps({str(one): hashlib.sha256(one.read_bytes()).hexdigest() for one in files}))
"""
DISTRIBUTIONS = """
import importlib.metadata, json
print(json.dumps({one.metadata["Name"]: one.version for one in importlib.metadata.distributions()}))
"""


def says(container: Container, line: str) -> tuple[int, str]:
    """How a command in the container ends, and its output."""
    done = container.exec_run(["sh", "-c", line])
    return done.exit_code, done.output.decode().strip()


def python(container: Container, code: str) -> Any:
    """What Python prints there, which is JSON."""
    done = container.exec_run(["python", "-c", code])
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def files_in(image: str) -> set[str]:
    """All that is there, whoever may see it."""
    command = ["docker", "run", "--rm", "--user", "0", "--entrypoint", "python", image, "-c", WALK]
    return {*json.loads(subprocess.check_output(command))}


@pytest.fixture(scope="module")
def in_the_base() -> set[str]:
    """What the Python that we build on brings: that is not ours."""
    return files_in(BASE)


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_is_healthy_and_bounded(running: System, service: str) -> None:
    container = running.container(service)
    allowed = container.attrs["HostConfig"]

    assert running.is_healthy(service)
    assert allowed["CapDrop"] == ["ALL"]
    assert not allowed["CapAdd"]
    assert not allowed["Privileged"]
    assert "no-new-privileges:true" in allowed["SecurityOpt"]
    assert allowed["RestartPolicy"]["Name"] == "unless-stopped"
    assert min(allowed["Memory"], allowed["NanoCpus"], allowed["PidsLimit"]) > 0
    assert {one["HostIp"] for bound in container.ports.values() for one in bound or ()} <= {"127.0.0.1"}
    assert not [mount for mount in container.attrs["Mounts"] if "docker.sock" in mount["Source"]]


@pytest.mark.parametrize("service", OURS)
def test_ours_runs_as_nobody_in_particular_on_a_disk_that_it_cannot_write(running: System, service: str) -> None:
    container = running.container(service)

    assert container.attrs["HostConfig"]["ReadonlyRootfs"] is True
    assert container.image.attrs["Config"]["User"] == "10001"
    assert says(container, "id -u") == (0, "10001")
    assert says(container, "touch /tmp/x")[0] == 0
    for place in ("/etc/x", "/opt/venv/x", "/opt/neighbours/x", "/usr/local/bin/x", "/x"):
        assert says(container, f"touch {place}")[0] != 0, place


@pytest.mark.parametrize(
    ("service", "guarded"),
    [("openbank", "persons"), ("desktop-controller", "commands/catalogue"), ("api-gateway", "prompts")],
)
def test_a_sample_answers_health_documentation_and_no_stranger_and_keeps_its_data(
    running: System, service: str, guarded: str
) -> None:
    container, url = running.container(service), running.url(service)

    answers = [httpx.get(url + path).status_code for path in ("/health/ready", "/api/docs", f"/api/v1/{guarded}")]

    assert answers == [200, 200, 401]
    assert says(container, "touch /data/x && rm /data/x")[0] == 0
    kind, *check = container.image.attrs["Config"]["Healthcheck"]["Test"]
    assert (kind, container.exec_run(check).exit_code) == ("CMD", 0)


def test_the_catalogue_cannot_be_written(running: System) -> None:
    container = running.container("desktop-controller")

    assert says(container, "grep -c argv /etc/desktop-controller/commands.toml")[0] == 0
    assert says(container, "touch /etc/desktop-controller/commands.toml")[0] != 0


@pytest.mark.parametrize("service", OURS)
def test_nothing_is_in_an_image_that_does_not_belong_there(
    running: System, in_the_base: set[str], service: str
) -> None:
    container = running.container(service)
    config = container.image.attrs["Config"]

    pythons = {"python", says(container, "python -c 'import sys; print(sys._base_executable)'")[1]}
    assert len(pythons) == 2
    for interpreter, module in product(pythons, NOT_IN_IMAGES):
        code, said = says(container, f"{interpreter} -c 'import {module}'")
        assert (code, "ModuleNotFoundError" in said) == (1, True), (interpreter, module)
    for tool in ("gcc", "cc", "make", "git"):
        assert says(container, f"command -v {tool}")[0] != 0 or says_of_the_base(running, tool), tool
    added = files_in(str(container.image.id)) - in_the_base
    own = sorted(path for path in added if not re.fullmatch(OF_OTHERS, path))
    assert len(own) > 20
    assert [path for path in own if re.fullmatch(NO_FILES, Path(path).name)] == []
    assert not [path for path in own if path.startswith(("/src", "/wheels", "/root/.cache"))]
    assert not [one for one in config["Env"] if re.search(r"SECRET|PASSWORD|TOKEN|KEY=", one)]


def says_of_the_base(running: System, tool: str) -> bool:
    """Whether the Python that we build on brings this: then it is not ours."""
    done = running.engine.containers.run(BASE, ["sh", "-c", f"command -v {tool} || true"], entrypoint="", remove=True)
    return bool(done.strip())


@pytest.mark.parametrize("service", OURS)
def test_an_image_holds_what_is_locked_and_is_compiled_already(running: System, service: str) -> None:
    container = running.container(service)
    locked = re.findall(r"^([a-z0-9-]+)==([^ ;]+)", (ROOT / "requirements/run.lock").read_text(), re.MULTILINE)
    own = {"neuroglia", *SAMPLES}

    found = {name.lower().replace("_", "-"): version for name, version in python(container, DISTRIBUTIONS).items()}

    assert {"neuroglia", "fastapi"} <= found.keys()
    assert found.keys() & {*SAMPLES} == ({service} & {*SAMPLES})
    assert ("opentelemetry-sdk" in found) == (service in SAMPLES)
    assert [one for one in found.items() if one[0] not in own and one not in locked] == []
    compiled = "ls /opt/venv/lib/python3*/site-packages/neuroglia/core/__pycache__/*.pyc"
    assert says(container, compiled)[0] == 0


@pytest.mark.parametrize("service", OURS)
def test_an_image_is_small(running: System, service: str) -> None:
    base = running.engine.images.get(BASE).attrs["Size"]

    added = (running.container(service).image.attrs["Size"] - base) / 1e6

    assert added < ADDED_MB


@pytest.mark.parametrize("service", SAMPLES)
def test_a_sample_ends_when_it_is_told_to(running: System, service: str) -> None:
    container = running.container(service)

    container.stop(timeout=15)

    container.reload()
    assert container.attrs["State"]["ExitCode"] in {0, 143}, "it had to be killed"
    container.start()
    running.until_healthy(service)


def test_down_with_volumes_leaves_nothing(overrides: Sequence[str], tmp_path: Path) -> None:
    with system(tmp_path, *overrides, services=["viewer", "mongo"]) as small:
        assert len(small.rests()) > 4  # two containers, two networks, volumes
        mounted = small.mounted()
        assert mounted

        small.compose("down", "--volumes", "--timeout", "5")

        assert small.rests() == []
        assert not mounted & {volume.name for volume in small.engine.volumes.list()}


def test_an_image_that_is_built_again_holds_the_same(running: System) -> None:
    built = running.container("openbank").image
    recipe = ["--file", ROOT / "openbank/Dockerfile", "--build-arg", f"PYTHON_IMAGE={BASE}"]
    again = subprocess.run(
        ["docker", "build", "--quiet", "--no-cache-filter", "installed", *recipe, ROOT],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip

    first, second = (
        json.loads(subprocess.check_output(["docker", "run", "--rm", "--entrypoint", "python", image, "-c", DIGESTS]))
        for image in (built.id, again)
    )

    if again != built.id:
        running.engine.images.remove(again)
    assert len(first) > 1000
    assert first == second
