"""Who may see and move what: a teller everything, and a caller who is bound to a person what belongs to that one."""

from dataclasses import replace
from typing import Any, ClassVar

from neuroglia.core import FieldError, Forbidden, InvalidRequest, MalformedRequest, NotFoundError, current_context
from neuroglia.core.generics import words
from neuroglia.dependency_injection import ServiceProvider
from neuroglia.domain import Repository
from neuroglia.mediation import PipelineBehavior, Proceed, Request, Stage
from openbank.application.commands.change_address import ChangeAddress
from openbank.application.commands.close_account import CloseAccount
from openbank.application.commands.deposit_money import DepositMoney
from openbank.application.commands.freeze_account import FreezeAccount
from openbank.application.commands.open_account import OpenAccount
from openbank.application.commands.request_transfer import RequestTransfer
from openbank.application.commands.unfreeze_account import UnfreezeAccount
from openbank.application.commands.withdraw_money import WithdrawMoney
from openbank.application.queries.get_account import GetAccount
from openbank.application.queries.get_account_events import GetAccountEvents
from openbank.application.queries.get_person import GetPerson
from openbank.application.queries.get_statement import GetStatement
from openbank.application.queries.get_transaction import GetTransaction
from openbank.application.queries.get_transfer import GetTransfer
from openbank.application.queries.list_accounts import ListAccounts
from openbank.application.queries.list_persons import ListPersons
from openbank.application.queries.list_transfers import ListTransfers
from openbank.domain.errors import UnknownOwner
from openbank.domain.models.bank_account import BankAccount
from openbank.domain.models.transfer import Transfer
from openbank.integration.models.transactions import TransactionDto
from openbank.integration.models.transfers import TransferDto


class OwnCustomerOnly(PipelineBehavior):
    """Binds a caller whose token has the claim `person_id` to that person. What belongs to others is not there, with
    the very answer that is given for what does not exist. A request that is not named here is refused."""

    stage: ClassVar[Stage] = Stage.AUTHORISE

    def __init__(self, provider: ServiceProvider) -> None:
        self.provider = provider

    async def handle(self, request: Request[Any], proceed: Proceed) -> Any:
        claims = current_context().principal.claims
        if "person_id" not in claims:
            return await proceed(request)
        person = str(claims["person_id"])
        answer = await proceed(await self._own(request, person))
        match answer, request:  # of these only the answer tells whose they are
            case TransactionDto(account_id=account), GetTransaction(transaction_id=id):
                await self._owned(person, TransactionDto, id, account)
            case TransferDto(from_account_id=sender, to_account_id=receiver), GetTransfer(transfer_id=id):
                await self._owned(person, Transfer, id, sender, receiver)
            case _:
                pass
        return answer

    async def _own(self, request: Request[Any], person: str) -> Request[Any]:
        """The request, narrowed to what is the person's."""
        match request:
            case ListPersons(cursor=None):
                return replace(request, only=person)
            case ListPersons():
                raise MalformedRequest("The cursor does not belong to this list.")  # which has one page
            case ListAccounts(owner_id=None):
                return replace(request, owner_id=person)
            case GetPerson(person_id=id) | ChangeAddress(person_id=id) | ListAccounts(owner_id=str(id)):
                if id != person:
                    raise NotFoundError("person", id)
            case OpenAccount(owner_id=id):
                if id != person:
                    raise UnknownOwner
            case (
                GetAccount(account_id=id) | GetAccountEvents(account_id=id) | GetStatement(account_id=id)
                | FreezeAccount(account_id=id) | UnfreezeAccount(account_id=id) | CloseAccount(account_id=id)
                | DepositMoney(account_id=id) | WithdrawMoney(account_id=id)
                | RequestTransfer(from_account_id=id) | ListTransfers(account_id=str(id))
            ):  # fmt: skip
                await self._owned(person, BankAccount, id, id)
            case GetTransaction() | GetTransfer():
                pass  # see above
            case ListTransfers():
                raise InvalidRequest([FieldError("/query/account_id", "missing", "Name one of your accounts.")])
            case _:
                raise Forbidden("This is for tellers.")
        return request

    async def _owned(self, person: str, kind: type, id: str, *accounts: str) -> None:
        """Returns if one of these accounts is the person's."""
        async with self.provider.create_scope() as scope:
            repository = await scope.get(Repository[BankAccount])
            for account in accounts:
                try:
                    if (await repository.get(account)).owner_id == person:
                        return
                except NotFoundError:
                    continue
        raise NotFoundError(words(kind), id)
