"""What bounds the life of a prompt."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptLimits:
    """How long what may take.

    Attributes:
        patience: within this a prompt gets its response, or faults.
        forgotten: after this, work that nobody has begun or ended is looked at by the sweep. It is longer than any call
            to the outside takes.
    """

    patience: timedelta = timedelta(minutes=15)
    forgotten: timedelta = timedelta(minutes=5)
