"""Which command follows from which event, and from which answer."""

from dataclasses import replace

from neuroglia.core import NotFoundError
from neuroglia.testing import GivenProcess, given_process
from openbank.application.commands.complete_transfer import CompleteTransfer
from openbank.application.commands.credit_receiver import CreditReceiver
from openbank.application.commands.debit_sender import DebitSender
from openbank.application.commands.record_debit import RecordDebit
from openbank.application.commands.record_refund import RecordRefund
from openbank.application.commands.refund_sender import RefundSender
from openbank.application.commands.reject_transfer import RejectTransfer
from openbank.application.reactions.transfer_process import TransferProcess
from openbank.domain import errors
from openbank.domain.events.accounts import Leg, TransactionType
from openbank.domain.events.transfers import TransferCompleted, TransferRefunded, TransferRejected
from openbank.domain.models.bank_account import BankAccount
from openbank.domain.models.transfer import Transfer, TransferStatus
from tests.openbank.builders import debited, eur, requested, withdrawn

REFUND = RefundSender("t", "a", "b", eur("30"), "rent")


def given_requested() -> GivenProcess:
    return given_process(TransferProcess).when(Transfer, "t", requested())


def given_debited() -> GivenProcess:
    return given_process(TransferProcess).when(Transfer, "t", requested(), debited())


def test_given_a_request_then_the_sender_is_debited() -> None:
    given_requested().steps.then(DebitSender("t", "a", "b", eur("30"), "rent"))


def test_given_a_request_when_the_sender_has_paid_then_that_is_recorded() -> None:
    given_requested().steps.when_done().then(RecordDebit("t"))


def test_given_a_request_when_the_sender_refuses_then_it_is_rejected_with_the_reason() -> None:
    given_requested().steps.when_refused(errors.AccountFrozen()).then(RejectTransfer("t", "account-frozen"))


def test_given_a_request_when_there_is_no_such_sender_then_it_is_rejected() -> None:
    given_requested().steps.when_refused(NotFoundError("bank account", "a")).then(RejectTransfer("t", "not-found"))


def test_given_a_debit_then_the_receiver_is_credited_and_the_transfer_completed() -> None:
    credit = given_debited().steps.then(CreditReceiver("t", "b", "a", eur("30"), "rent"))

    credit.when_done().then(CompleteTransfer("t")).when_done().then()


def test_given_a_debit_when_the_receiver_refuses_then_the_sender_is_refunded_and_that_is_recorded() -> None:
    refund = given_debited().steps.when_refused(errors.AccountClosed()).then(REFUND)

    refund.when_done().then(RecordRefund("t", "account-closed"))


def test_given_a_debit_of_a_rejected_transfer_when_whoever_debited_tells_then_it_is_given_back() -> None:
    record = given_requested().steps.when_done()

    record.when_refused(errors.TransferAlready(TransferStatus.REJECTED)).then(REFUND).when_done().then()


def test_given_a_debit_of_a_rejected_transfer_when_the_log_tells_then_it_is_given_back() -> None:
    paid = replace(
        withdrawn("30", "70", "rent"), type=TransactionType.TRANSFER_OUT, leg=Leg("t", counterparty_account_id="b")
    )

    record = given_process(TransferProcess).when(BankAccount, "a", paid).steps.then(RecordDebit("t"))

    record.when_refused(errors.TransferAlready(TransferStatus.REJECTED)).then(REFUND).when_done().then()


def test_given_a_withdrawal_at_the_counter_then_nothing_follows() -> None:
    given_process(TransferProcess).when(BankAccount, "a", withdrawn("30", "70")).steps.then()


def test_given_a_final_transfer_then_nothing_follows() -> None:
    for final in (TransferCompleted(), TransferRejected(reason="x"), TransferRefunded(reason="x")):
        given_process(TransferProcess).when(Transfer, "t", final).steps.then()
