"""What OpenBank can be told. See the README for the list."""

from typing import ClassVar

from pydantic import Field

from neuroglia.hosting import ServiceSettings


class OpenBankSettings(ServiceSettings):
    """The common settings, with OpenBank's own port."""

    service: ClassVar[str] = "openbank"
    title: ClassVar[str] = "OpenBank"

    port: int = 8081
    usual_debits: int = Field(default=5, ge=1)
    """More debits of one account than these, within `debit_window_seconds`, are told as unusual."""
    debit_window_seconds: float = Field(default=60.0, gt=0)
