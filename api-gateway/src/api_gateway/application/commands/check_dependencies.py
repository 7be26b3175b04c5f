"""Asking the services that the gateway needs."""

import asyncio
from dataclasses import dataclass
from typing import Final

from api_gateway.integration.models.dependencies import DependenciesDto, DependencyDto
from api_gateway.integration.models.events import DependenciesHealthChecked
from api_gateway.integration.ports import DOCUMENT_STORE, Dependency
from neuroglia.cloud_events import Outbox
from neuroglia.core import Clock, Unavailable
from neuroglia.mediation import Command, CommandHandler

_PATIENCE_S: Final = 5.0
_SUBJECT: Final = "dependencies"


@dataclass(frozen=True, slots=True)
class CheckDependencies(Command[DependenciesDto]):
    """Each of them is asked, all at the same time, and what they say is told to the outside."""


class CheckDependenciesHandler(CommandHandler[CheckDependencies, DependenciesDto]):
    """While the document store is down, there is no outbox to tell it by; who has asked learns it all the same."""

    def __init__(self, dependencies: list[Dependency], outbox: Outbox, clock: Clock) -> None:
        self.dependencies = dependencies
        self.outbox = outbox
        self.clock = clock

    async def handle(self, _: CheckDependencies) -> DependenciesDto:
        found = await asyncio.gather(*(_ask(dependency) for dependency in self.dependencies))
        states = {one.name: one.state for one in found}
        health = DependenciesDto(status="degraded" if "down" in states.values() else "healthy", dependencies=[*found])
        if states.get(DOCUMENT_STORE) == "up":
            event = DependenciesHealthChecked(status=health.status, states=states)
            now = self.clock.now()
            self.outbox.add(event, subject=_SUBJECT, number=int(now.timestamp() * 1_000_000))
        return health


async def _ask(dependency: Dependency) -> DependencyDto:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await dependency.probe()
    except Unavailable as error:
        return DependencyDto(name=dependency.name, state="down", detail=error.detail)
    except TimeoutError:
        return DependencyDto(name=dependency.name, state="down", detail="It did not answer in time.")
    return DependencyDto(name=dependency.name, state="up")
