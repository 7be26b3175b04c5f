"""`/transactions`."""

from neuroglia.mvc import ControllerBase, get, post
from openbank.api.fields import Amount, Id, Reference, RequestModel
from openbank.application.commands.deposit_money import DepositMoney
from openbank.application.commands.withdraw_money import WithdrawMoney
from openbank.application.queries.get_transaction import GetTransaction
from openbank.integration.models.transactions import TransactionDto


class MovementRequest(RequestModel):
    """How much, and on which account; the currency is the account's."""

    account_id: Id
    amount: Amount
    reference: Reference = ""


class TransactionsController(ControllerBase):
    @post("/deposits", status_code=201, location="/{id}", scopes=["bank:write"])
    async def deposit(self, request: MovementRequest) -> TransactionDto:
        """Pays money into an account."""
        return await self.mediator.execute(DepositMoney(request.account_id, request.amount, request.reference))

    @post("/withdrawals", status_code=201, location="/{id}", scopes=["bank:write"])
    async def withdraw(self, request: MovementRequest) -> TransactionDto:
        """Takes money out of an account."""
        return await self.mediator.execute(WithdrawMoney(request.account_id, request.amount, request.reference))

    @get("/{transaction_id}", scopes=["bank:read"])
    async def show(self, transaction_id: str) -> TransactionDto:
        """Shows a movement of money."""
        return await self.mediator.execute(GetTransaction(transaction_id))
