"""`/transfers`."""

from typing import Annotated

from fastapi import Depends

from neuroglia.mvc import DEFAULT_LIMIT, ControllerBase, Cursor, Limit, Page, PreferredWait, get, post
from openbank.api.fields import Amount, Id, Reference, RequestModel
from openbank.application.commands.request_transfer import RequestTransfer
from openbank.application.queries.get_transfer import GetTransfer
from openbank.application.queries.list_transfers import ListTransfers
from openbank.integration.models.transfers import TransferDto, TransferStatus


class TransferRequest(RequestModel):
    """How much, from where and to where; the currency is that of the account that it comes from."""

    from_account_id: Id
    to_account_id: Id
    amount: Amount
    reference: Reference = ""


class TransfersController(ControllerBase):
    @post(
        status_code=202,
        location="/{id}",
        scopes=["bank:write"],
        responses={200: {"model": TransferDto, "description": "It was final within the time that `Prefer` gave it."}},
    )
    async def request(self, request: TransferRequest, wait: Annotated[PreferredWait, Depends()]) -> TransferDto:
        """Requests a transfer, which then goes its way; with `Prefer: wait=N` the answer waits for its end."""
        transfer = await self.mediator.execute(
            RequestTransfer(request.from_account_id, request.to_account_id, request.amount, request.reference)
        )
        return await wait.until(
            lambda shown: shown.status.is_final, lambda: self.mediator.execute(GetTransfer(transfer.id)), transfer
        )

    @get(scopes=["bank:read"])
    async def list(
        self,
        account_id: str | None = None,
        status: TransferStatus | None = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Page[TransferDto]:
        """Lists transfers in the order of their requests: all, those of an account, those in a state."""
        return await self.mediator.execute(ListTransfers(account_id, status, limit, cursor))

    @get("/{transfer_id}", scopes=["bank:read"])
    async def show(self, transfer_id: str) -> TransferDto:
        """Shows how far a transfer is."""
        return await self.mediator.execute(GetTransfer(transfer_id))
