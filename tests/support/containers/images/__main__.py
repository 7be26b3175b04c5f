"""`python -m tests.support.containers.images`: builds the images and prints the environment for their use."""

from tests.support.containers.images import build

for name, value in build().items():
    print(f"export {name}={value}")  # noqa: T201
