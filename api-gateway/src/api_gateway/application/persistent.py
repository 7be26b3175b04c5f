"""Going on until it is noted: the document store is back, or others let one through."""

from typing import Final

import tenacity

from neuroglia.core import ConcurrencyError, Unavailable

persistent: Final = tenacity.retry(
    retry=tenacity.retry_if_exception_type((Unavailable, ConcurrencyError)),
    wait=tenacity.wait_random_exponential(0.1, max=5.0),
    stop=tenacity.stop_after_delay(60),
    reraise=True,
)
"""For coroutine functions of background work that would lose what they have found out. If it takes more than a minute,
they do lose it."""
