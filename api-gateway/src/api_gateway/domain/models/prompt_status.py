"""Where a prompt is in its life."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from neuroglia.domain import transitions


class PromptStatus(StrEnum):
    """created → preparing → prepared → submitted → completed → responded; cancelled and faulted."""

    CREATED = "created"
    PREPARING = "preparing"
    PREPARED = "prepared"
    SUBMITTED = "submitted"
    COMPLETED = "completed"
    RESPONDED = "responded"
    CANCELLED = "cancelled"
    FAULTED = "faulted"


class Step(StrEnum):
    """What takes a prompt from one state to another. A faulted one is retried from where it had come to."""

    RECEIVE = "receive"
    BEGIN_PREPARATION = "begin_preparation"
    END_PREPARATION = "end_preparation"
    SUBMIT = "submit"
    COMPLETE = "complete"
    RESPOND = "respond"
    CANCEL = "cancel"
    FAULT = "fault"
    RETRY_PREPARATION = "retry_preparation"
    RETRY_SUBMISSION = "retry_submission"
    RETRY_RESPONSE = "retry_response"


_S: Final = PromptStatus
_OPEN: Final = (_S.CREATED, _S.PREPARING, _S.PREPARED, _S.SUBMITTED, _S.COMPLETED)

LIFE: Final[Mapping[tuple[PromptStatus, Step], PromptStatus]] = transitions(
    ([_S.CREATED], Step.BEGIN_PREPARATION, _S.PREPARING),
    ([_S.PREPARING], Step.END_PREPARATION, _S.PREPARED),
    ([_S.PREPARED, _S.SUBMITTED], Step.SUBMIT, _S.SUBMITTED),
    ([_S.SUBMITTED], Step.COMPLETE, _S.COMPLETED),
    ([_S.COMPLETED], Step.RESPOND, _S.RESPONDED),
    (_OPEN, Step.CANCEL, _S.CANCELLED),
    (_OPEN, Step.FAULT, _S.FAULTED),
    ([_S.FAULTED], Step.RETRY_PREPARATION, _S.CREATED),
    ([_S.FAULTED], Step.RETRY_SUBMISSION, _S.PREPARED),
    ([_S.FAULTED], Step.RETRY_RESPONSE, _S.COMPLETED),
)
"""All transitions. A prompt that nobody is to be called back for has ended when it is completed: see `Prompt`. From
`submitted` it is submitted again only as the next attempt, and only if the one before has certainly not arrived."""
