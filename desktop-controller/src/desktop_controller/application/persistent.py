"""Going on until the service that is needed is back."""

from typing import Final

import tenacity

from neuroglia.core import Unavailable

persistent: Final = tenacity.retry(
    retry=tenacity.retry_if_exception_type(Unavailable), wait=tenacity.wait_random_exponential(0.1, max=5.0)
)
"""For coroutine functions of background work, which nobody waits for: a request would rather be told."""
