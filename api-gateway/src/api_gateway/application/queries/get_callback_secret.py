"""With what a caller checks that callbacks come from here."""

from dataclasses import dataclass

from api_gateway.integration.ports import Callbacks
from neuroglia.mediation import Query, QueryHandler


@dataclass(frozen=True, slots=True)
class GetCallbackSecret(Query[str]):
    """The secret of one caller, to be shown to them with their key."""

    caller_id: str


class GetCallbackSecretHandler(QueryHandler[GetCallbackSecret, str]):
    def __init__(self, callbacks: Callbacks) -> None:
        self.callbacks = callbacks

    async def handle(self, query: GetCallbackSecret) -> str:
        return self.callbacks.secret_of(query.caller_id)
