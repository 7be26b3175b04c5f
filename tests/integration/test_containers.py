"""OpenBank on the real servers in containers; and that such tests work, proved where no images can be pulled, too."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.support.containers import docker_engine, images, missing, require_image
from tests.support.mongo import MongoServer

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
SUITES = ["tests/framework", "tests/integration", "tests/desktop_controller"]
NO_IMAGES = {
    "EVENTSTOREDB_IMAGE": "127.0.0.1:1/none:1",
    "MONGO_IMAGE": "127.0.0.1:1/none:2",
    "COMMANDS_IMAGE": "127.0.0.1:1/none:3",
    "KEYCLOAK_IMAGE": "127.0.0.1:1/none:4",
    "PYTHON_IMAGE": "127.0.0.1:1/none:5",
}
MAY_SKIP = {"REQUIRE_DOCKER": "0"}


def container_tests(
    suites: Sequence[str] = SUITES, *, returncode: int = 0, **environment: str
) -> tuple[Mapping[str, int], str]:
    """Runs the tests with containers. Returns how many passed, were skipped and failed, and what they said."""
    command = [sys.executable, "-m", "pytest", "-m", "containers", *suites]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True)
    assert done.returncode == returncode, done.stdout + done.stderr
    counts = re.findall(r"(\d+) (passed|skipped|failed|errors?)", done.stdout.splitlines()[-1])
    return {outcome: int(number) for number, outcome in counts}, done.stdout + done.stderr


@pytest.mark.containers
def test_given_both_servers_in_containers_when_openbank_plays_its_story_then_every_answer_is_as_promised(
    eventstoredb_in_container: str, mongo_in_container: MongoServer, tmp_path: Path
) -> None:
    urls = {"EVENT_STORE_URL": eventstoredb_in_container, "DOCUMENT_STORE_URL": mongo_in_container.url(tmp_path)}

    story = subprocess.run(
        [sys.executable, "-m", "deployment.demo"],
        env={**os.environ, **urls, "TMPDIR": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert story.returncode == 0, story.stdout + story.stderr
    assert not list(tmp_path.rglob("*.db"))


def test_given_images_of_our_own_when_the_tests_with_containers_run_then_all_of_them_pass() -> None:
    if not images.PYTHON_IMAGE:
        missing("PYTHON_IMAGE names no image with Python to build the stand-ins on")
    require_image(images.PYTHON_IMAGE)

    outcomes, said = container_tests(**images.build())

    assert outcomes.keys() == {"passed"}, said


def test_given_no_images_when_the_tests_with_containers_run_then_they_are_skipped_and_say_which_are_missing() -> None:
    with docker_engine():
        outcomes, said = container_tests(**NO_IMAGES, **MAY_SKIP)

    assert outcomes.keys() == {"skipped"}, said
    for image in NO_IMAGES.values():
        assert f"the image {image} is not here and cannot be pulled" in said


def test_given_no_docker_engine_when_the_tests_with_containers_run_then_they_are_skipped_and_say_so() -> None:
    outcomes, said = container_tests(DOCKER_HOST="unix:///nowhere/docker.sock", **MAY_SKIP)

    assert outcomes.keys() == {"skipped"}, said
    assert "there is no Docker engine" in said


def test_given_no_docker_engine_where_one_is_required_when_the_tests_with_containers_run_then_all_of_them_fail() -> (
    None
):
    nowhere = {"DOCKER_HOST": "unix:///nowhere/docker.sock", "REQUIRE_DOCKER": "1"}
    outcomes, said = container_tests(["tests/integration/test_containers.py"], returncode=1, **nowhere)

    assert not outcomes.keys() & {"passed", "skipped"}, said
    assert "there is no Docker engine" in said
