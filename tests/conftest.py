"""How thorough the property tests are: quick by default, `HYPOTHESIS_PROFILE=thorough` for the long runs."""

import os

from hypothesis import settings

settings.register_profile("quick", max_examples=20, deadline=None, database=None)
settings.register_profile("thorough", max_examples=500, deadline=None, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
