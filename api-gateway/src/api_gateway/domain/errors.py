"""How the gateway says no. Codes are part of the public contract."""

from typing import ClassVar

from neuroglia.domain import StateConflict


class PromptAlready(StateConflict):
    """The prompt has gone on, or has not come so far."""

    code: ClassVar[str] = "prompt-not-in-this-state"

    def __init__(self, status: str) -> None:
        super().__init__(f"The prompt is {status}.")


class ResponseDiffers(StateConflict):
    """The prompt has its response, and this is another one."""

    code: ClassVar[str] = "response-differs"

    def __init__(self) -> None:
        super().__init__("The prompt has another response already.")


class AnotherAttempt(StateConflict):
    """The response is to an attempt that was given up."""

    code: ClassVar[str] = "another-attempt"

    def __init__(self, attempt: int) -> None:
        super().__init__(f"The prompt is in its attempt {attempt}.")


class TooManyRetries(StateConflict):
    """Somebody should look at this prompt rather than retry it again."""

    code: ClassVar[str] = "too-many-retries"

    def __init__(self, most: int) -> None:
        super().__init__(f"A prompt is retried at most {most} times.")
