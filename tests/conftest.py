"""What holds for all tests.

Property tests are quick by default; `HYPOTHESIS_PROFILE=thorough` is for the long runs.
"""

import gc
import os

from hypothesis import settings

settings.register_profile("quick", max_examples=20, deadline=None, database=None)
settings.register_profile("thorough", max_examples=500, deadline=None, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_collection_finish() -> None:
    """Modules and collected tests live to the end: the garbage collector need not look at them again and again."""
    gc.collect()
    gc.freeze()
