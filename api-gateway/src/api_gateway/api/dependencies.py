"""`/dependencies`."""

from api_gateway.application.commands.check_dependencies import CheckDependencies
from api_gateway.integration.models.dependencies import DependenciesDto
from neuroglia.mvc import ControllerBase, get


class DependenciesController(ControllerBase):
    @get("/health", scopes=["gateway:admin"])
    async def health(self) -> DependenciesDto:
        """Asks each service that the gateway needs how it is."""
        return await self.mediator.execute(CheckDependencies())
