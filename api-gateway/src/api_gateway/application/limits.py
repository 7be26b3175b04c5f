"""What bounds the life of a prompt."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptLimits:
    """How long what may take.

    Attributes:
        patience: within this a prompt gets its response, or faults.
        longest_call: so long may it take until it is noted what became of a call to the GenAI service.
        forgotten: after this, work that nobody has begun or ended is looked at by the sweep. It is longer than any call
            to the outside takes.
    """

    patience: timedelta = timedelta(minutes=15)
    longest_call: timedelta = timedelta(seconds=65)
    forgotten: timedelta = timedelta(minutes=5)
