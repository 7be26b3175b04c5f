"""`python -m tests.support.containers.images`: builds the stand-ins as images and prints how to use them.

`PYTHON_IMAGE` names an image with Python to build on, in place of the Dockerfile's.
"""

import os
import subprocess
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[4]


def build(target: str) -> str:
    """Builds an image. Returns its name."""
    name = f"neuroglia-stand-in-{target}:latest"
    arguments = [f"CLIENT=esdbclient=={version('esdbclient')}"]
    if base := os.environ.get("PYTHON_IMAGE"):
        arguments.append(f"PYTHON_IMAGE={base}")
    command = ["docker", "build", "--quiet", "--tag", name, "--target", target, "--file"]
    command.append(str(Path(__file__).with_name("Dockerfile")))
    for argument in arguments:
        command += ["--build-arg", argument]
    subprocess.run([*command, str(ROOT)], check=True, stdout=subprocess.DEVNULL)
    return name


for variable, target in {"EVENTSTOREDB_IMAGE": "eventstoredb", "MONGO_IMAGE": "mongo"}.items():
    print(f"export {variable}={build(target)}", flush=True)  # noqa: T201
