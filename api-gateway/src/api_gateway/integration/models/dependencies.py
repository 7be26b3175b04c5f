"""What is shown of the services that the gateway needs."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel


class DependencyDto(BaseModel):
    """A service that was really asked. `detail`: what is wrong with it."""

    name: str
    state: Literal["up", "down"]
    detail: str | None = None


class DependenciesDto(BaseModel):
    """All of them. `degraded`: at least one is down."""

    status: Literal["healthy", "degraded"]
    dependencies: Sequence[DependencyDto]
