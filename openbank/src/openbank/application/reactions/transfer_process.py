"""How a transfer goes on: which command follows from which event, and from which answer."""

from collections.abc import Sequence
from datetime import datetime

from neuroglia.domain import Envelope
from neuroglia.event_sourcing import on
from neuroglia.mediation import Query
from neuroglia.process_managers import ProcessManager, Step, Steps
from openbank.application.commands.complete_transfer import CompleteTransfer
from openbank.application.commands.credit_receiver import CreditReceiver
from openbank.application.commands.debit_sender import DebitSender
from openbank.application.commands.record_debit import RecordDebit
from openbank.application.commands.record_refund import RecordRefund
from openbank.application.commands.refund_sender import RefundSender
from openbank.application.commands.reject_transfer import RejectTransfer
from openbank.application.queries.unfinished_transfers import UnfinishedTransfers
from openbank.domain.events.accounts import MoneyWithdrawn
from openbank.domain.events.transfers import TransferAgreed, TransferDebited, TransferRequested
from openbank.domain.models.transfer import Transfer


class TransferProcess(ProcessManager, of=Transfer, workers=32):
    """Debit the sender, then credit the receiver; give the money back if that is refused.

    Of two runners that do not know of each other, one may be refused by the sender's account and reject the transfer,
    while the other one finds more money there and debits it. So a debit of a rejected transfer is given back, whoever
    comes to know of it: the runner that debited, or in its place any other that sees the event.
    """

    @on
    def requested(self, event: TransferRequested, envelope: Envelope) -> Steps:
        id = envelope.aggregate_id
        debit = DebitSender(id, event.from_account_id, event.to_account_id, event.amount, event.reference)
        return Step(
            id,
            "debit",
            debit,
            done=_record_debit(id, _refund(id, event)),
            refused=lambda refusal: Step(id, "reject", RejectTransfer(id, refusal.code)),
        )

    @on
    def withdrawn(self, event: MoneyWithdrawn, envelope: Envelope) -> Steps:
        if event.leg is None:
            return None
        id, account, other = event.leg.transfer_id, envelope.aggregate_id, event.leg.counterparty_account_id
        return _record_debit(id, RefundSender(id, account, other, event.amount, event.reference))

    @on
    def debited(self, event: TransferDebited, envelope: Envelope) -> Steps:
        id = envelope.aggregate_id
        credit = CreditReceiver(id, event.to_account_id, event.from_account_id, event.amount, event.reference)
        return Step(
            id,
            "credit",
            credit,
            done=Step(id, "complete", CompleteTransfer(id)),
            refused=lambda refusal: Step(
                id, "refund", _refund(id, event), done=Step(id, "record-refund", RecordRefund(id, refusal.code))
            ),
        )

    def unfinished(self, before: datetime) -> Query[Sequence[str]]:
        return UnfinishedTransfers(before)


def _record_debit(id: str, refund: RefundSender) -> Step:
    return Step(id, "record-debit", RecordDebit(id), refused=lambda _: Step(id, "refund", refund))


def _refund(id: str, event: TransferAgreed) -> RefundSender:
    return RefundSender(id, event.from_account_id, event.to_account_id, event.amount, event.reference)
