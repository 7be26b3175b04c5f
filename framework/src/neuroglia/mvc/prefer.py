"""`Prefer: wait=N` (RFC 7240, section 4.3): a caller who waits for the end of what runs in the background."""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Final, TypeVar

import tenacity
from fastapi import Header, Response

T = TypeVar("T")
_WAIT: Final = re.compile(r"(?:^|[,;])\s*wait\s*=\s*(\d{1,9})\s*(?=[,;]|$)", re.IGNORECASE)
_MOST_S: Final = 30


class PreferredWait:
    """How long the caller waits. For endpoints that answer 202: `wait: Annotated[PreferredWait, Depends()]`."""

    def __init__(
        self,
        response: Response,
        prefer: Annotated[str | None, Header(description="`wait=N`: at most so many seconds, and at most 30.")] = None,
    ) -> None:
        preference = _WAIT.search(prefer or "")
        self._seconds = min(int(preference[1]), _MOST_S) if preference else 0
        self._response = response

    async def until(self, is_final: Callable[[T], bool], read: Callable[[], Awaitable[T]], first: T) -> T:
        """What `read` gives once it is final, or when the time is over. It was `first` before.

        In the first case the answer becomes 200, and says that the preference was applied.
        """
        last = first

        async def look() -> bool:
            nonlocal last
            last = await read()
            return is_final(last)

        if self._seconds and await tenacity.AsyncRetrying(
            retry=tenacity.retry_if_result(lambda final: not final),
            wait=tenacity.wait_exponential(multiplier=0.01, max=0.25),
            stop=tenacity.stop_after_delay(self._seconds),
            retry_error_callback=lambda _: False,
        )(look):
            self._response.status_code = 200
            self._response.headers["Preference-Applied"] = f"wait={self._seconds}"
        return last
