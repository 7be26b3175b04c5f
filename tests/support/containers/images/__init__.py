"""Our stand-ins as images: see the Dockerfile."""

import os
import subprocess
from pathlib import Path
from typing import Final

PYTHON_IMAGE: Final = os.environ.get("PYTHON_IMAGE", "")
"""An image with Python, to build on, as python:3.13-slim. Without it nothing is built, or pulled for that."""
_ROOT: Final = Path(__file__).parents[4]


def build() -> dict[str, str]:
    """Builds the images. Returns the environment in which the container tests use them."""
    targets = "eventstoredb", "mongo", "keycloak"
    return {f"{target.upper()}_IMAGE": _build(target) for target in targets}


def _build(target: str) -> str:
    name = f"neuroglia-stand-in-{target}:latest"
    recipe = ["--target", target, "--file", Path(__file__).with_name("Dockerfile")]
    options = ["--build-arg", f"PYTHON_IMAGE={PYTHON_IMAGE}"]
    subprocess.run(["docker", "build", "--quiet", "--tag", name, *recipe, *options, _ROOT], check=True)
    return name
