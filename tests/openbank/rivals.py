"""Two runners at the same transfer, played step by step: the first was refused, and the second finds more money."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from neuroglia.core import RequestContext, SystemIds, derived_id
from neuroglia.core.context import use_context
from neuroglia.domain import DomainError
from neuroglia.event_sourcing import EventStore
from neuroglia.mediation import Command, Mediator
from neuroglia.testing import RunningService
from openbank.application.commands.debit_sender import DebitSender
from openbank.application.commands.deposit_money import DepositMoney
from openbank.application.commands.record_debit import RecordDebit
from openbank.application.commands.reject_transfer import RejectTransfer
from openbank.application.commands.request_transfer import RequestTransfer
from openbank.application.reactions.transfer_process import TransferProcess
from openbank.domain.models.bank_account import BankAccount
from openbank.domain.models.person import Person
from openbank.domain.models.transfer import TransferStatus
from tests.openbank.builders import deposited, eur, opened, registered

COURSES: Final[Sequence[tuple[Sequence[str], TransferStatus]]] = [
    ([], TransferStatus.COMPLETED),
    (["reject"], TransferStatus.REJECTED),
    (["debit"], TransferStatus.COMPLETED),
    (["debit", "record"], TransferStatus.COMPLETED),
    (["reject", "debit"], TransferStatus.REJECTED),
    (["debit", "reject"], TransferStatus.REJECTED),
    (["reject", "debit", "record"], TransferStatus.REJECTED),
    (["debit", "reject", "record"], TransferStatus.REJECTED),
    (["debit", "record", "reject"], TransferStatus.COMPLETED),
]
"""What the two have done before they died, after the first one was refused; and how the transfer has to end."""


def course_id(course: object) -> str | None:
    """How a course is called."""
    return ">".join(course) or "nothing" if isinstance(course, list) else None


async def play(bank: RunningService, course: Sequence[str]) -> None:
    """Plays a course with a new transfer between new accounts. Nobody else follows the log meanwhile."""
    ids, mediator = SystemIds(), await bank.services.get(Mediator)
    owner, sender, receiver = ids.new(), ids.new(), ids.new()
    await bank.happened(Person, owner, registered())
    await bank.happened(BankAccount, sender, opened(owner=owner), deposited("10", "10"))
    await bank.happened(BankAccount, receiver, opened(owner=owner))
    transfer = (await mediator.execute(RequestTransfer(sender, receiver, Decimal(30), ""))).id
    since = await (await bank.services.get(EventStore)).head()
    steps: dict[str, tuple[str, Command[None]]] = {
        "debit": ("debit", DebitSender(transfer, sender, receiver, eur("30"), "")),
        "reject": ("reject", RejectTransfer(transfer, "insufficient-funds")),
        "record": ("record-debit", RecordDebit(transfer)),
    }
    assert not await _send(mediator, transfer, *steps["debit"], since), "the first runner is refused"
    await mediator.execute(DepositMoney(sender, Decimal(20), ""))
    for step in course:
        await _send(mediator, transfer, *steps[step], since)


async def _send(mediator: Mediator, transfer: str, step: str, command: Command[None], since: int) -> bool:
    """What a runner does for a step. False: it was refused."""
    command_id = derived_id(TransferProcess.name, transfer, step)
    with use_context(RequestContext(correlation_id="rival", command_id=command_id, since=since)):
        try:
            await mediator.execute(command)
        except DomainError:
            return False
    return True
