"""Going on until it is done: the service that is needed is back, or others let one through."""

from typing import Final

import tenacity

from neuroglia.core import ConcurrencyError, Unavailable

persistent: Final = tenacity.retry(
    retry=tenacity.retry_if_exception_type((Unavailable, ConcurrencyError)),
    wait=tenacity.wait_random_exponential(0.1, max=5.0),
)
"""For coroutine functions of background work, which nobody waits for: a request would rather be told."""

undeterred: Final = tenacity.retry(
    retry=tenacity.retry_if_exception_type(ConcurrencyError), wait=tenacity.wait_random_exponential(0.01, max=0.5)
)
"""For what a request must note because it has happened, however many others write at the same time."""
