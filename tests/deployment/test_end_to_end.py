"""The samples as containers, driven over HTTP, where images can be built but none can be pulled. See tests/e2e."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.containers import docker_engine, images, missing, require_image

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]


def end_to_end(*, returncode: int = 0, **environment: str) -> tuple[Mapping[str, int], str]:
    """Runs the tests. Returns how many passed, were skipped and failed, and what they said."""
    command = [sys.executable, "-m", "pytest", "-m", "e2e", "tests/e2e"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == returncode, done.stdout + done.stderr
    counts = re.findall(r"(\d+) (passed|skipped|failed|errors?)", done.stdout.splitlines()[-1])
    return {outcome: int(number) for number, outcome in counts}, done.stdout + done.stderr


def test_given_stand_ins_as_images_when_the_system_is_driven_over_http_then_all_is_as_promised() -> None:
    if not images.PYTHON_IMAGE:
        missing("PYTHON_IMAGE names no image with Python to build the images on")
    require_image(images.PYTHON_IMAGE)

    outcomes, said = end_to_end()

    assert outcomes.keys() == {"passed"}, said


def test_given_no_images_when_the_system_is_to_be_driven_then_it_is_skipped_and_says_which_is_missing() -> None:
    with docker_engine():
        outcomes, said = end_to_end(PYTHON_IMAGE="127.0.0.1:1/none:1", REQUIRE_DOCKER="0")

    assert outcomes.keys() == {"skipped"}, said
    assert "the image 127.0.0.1:1/none:1 is not here and cannot be pulled" in said


def test_given_no_docker_engine_when_the_system_is_to_be_driven_then_it_is_skipped_or_fails_and_says_so() -> None:
    nowhere = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}

    outcomes, said = end_to_end(**nowhere, REQUIRE_DOCKER="0")
    assert outcomes.keys() == {"skipped"}, said
    assert "there is no Docker engine" in said

    outcomes, said = end_to_end(**nowhere, REQUIRE_DOCKER="1", returncode=1)
    assert not outcomes.keys() & {"passed", "skipped"}, said
