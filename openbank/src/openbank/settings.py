"""What OpenBank can be told. See the README for the list."""

from typing import ClassVar

from neuroglia.hosting import ServiceSettings


class OpenBankSettings(ServiceSettings):
    """The common settings, with OpenBank's own port."""

    service: ClassVar[str] = "openbank"
    title: ClassVar[str] = "OpenBank"

    port: int = 8081
