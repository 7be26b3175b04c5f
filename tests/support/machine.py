"""What a test needs of the machine that it runs on."""

import os
from typing import NoReturn

import pytest


def not_here(what: str, required_by: str) -> NoReturn:
    """Skips the test that needs it, or fails it where the variable `required_by` is 1: CI has everything."""
    if os.environ.get(required_by) == "1":
        pytest.fail(f"{what}, but {required_by} is 1", pytrace=False)
    pytest.skip(what)
