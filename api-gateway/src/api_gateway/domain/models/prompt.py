"""The prompt: what a third party asks of the GenAI stack, and how far that is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from api_gateway.domain import errors
from api_gateway.domain.models.data_object import DataObject
from api_gateway.domain.models.prompt_status import LIFE, PromptStatus, Step

JsonObject = Mapping[str, object]
_MOST_RETRIES: Final = 20
_LONGEST_HISTORY: Final = 200


class PromptKind(StrEnum):
    """What is asked for."""

    ITEM = "item"
    FORM = "form"
    CHAT = "chat"


class Submission(StrEnum):
    """What is known of the last attempt to submit."""

    NONE = "none"
    BEGUN = "begun"
    """It may have arrived or not: this is what a process leaves behind that dies."""
    UNSENT = "unsent"
    ACCEPTED = "accepted"
    UNCLEAR = "unclear"
    """Nobody will ever know, but an answer may still come."""


class Work(StrEnum):
    """What has to be done next, by the gateway itself."""

    PREPARE = "prepare"
    SUBMIT = "submit"
    RESPOND = "respond"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a prompt is faulted."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One step of a prompt. `number` is the prompt's version with it, and grows, with gaps."""

    number: int
    step: Step
    status: PromptStatus
    at: datetime
    attempt: int
    error: Fault | None = None


@dataclass(slots=True, kw_only=True)
class Prompt:
    """A prompt with its history. What it is at is one of the states in `LIFE`; what is final stays.

    Attributes:
        version: counts the changes from 1.
        changed_at: when it last came to another state.
        expires_at: without a response by then, it faults.
        attempts: how often it was submitted. Each attempt is known before the GenAI service hears of it.
        retries: how often it was retried after a fault.
        work: what has to be done next; who finds that nobody does it, does it.
        history: its steps, the last 200 of them.
    """

    id: str
    caller_id: str
    kind: PromptKind
    context: JsonObject
    callback_url: str | None
    data_url: str | None
    request_id: str | None
    created_at: datetime
    changed_at: datetime
    expires_at: datetime
    status: PromptStatus = PromptStatus.CREATED
    version: int = 0
    work: Work = Work.NONE
    data_object: DataObject | None = None
    attempts: int = 0
    retries: int = 0
    submission: Submission = Submission.NONE
    response: JsonObject | None = None
    error: Fault | None = None
    prepared_at: datetime | None = None
    submitted_at: datetime | None = None
    completed_at: datetime | None = None
    responded_at: datetime | None = None
    history: list[Transition] = field(default_factory=list[Transition])

    @classmethod
    def receive(
        cls,
        id: str,
        *,
        caller_id: str,
        kind: PromptKind,
        context: JsonObject,
        callback_url: str | None,
        data_url: str | None,
        request_id: str | None,
        now: datetime,
        expires_at: datetime,
    ) -> "Prompt":
        """A new prompt of a caller."""
        prompt = cls(
            id=id,
            caller_id=caller_id,
            kind=kind,
            context=context,
            callback_url=callback_url,
            data_url=data_url,
            request_id=request_id,
            created_at=now,
            changed_at=now,
            expires_at=expires_at,
        )
        prompt._record(Step.RECEIVE, PromptStatus.CREATED, now)
        return prompt

    @property
    def is_final(self) -> bool:
        """Whether nothing follows by itself any more."""
        return self._has_no_more_to_do or (self.status, Step.FAULT) not in LIFE

    def begin_preparation(self, now: datetime) -> None:
        """It is going to be prepared. Who takes over from a dead process begins again."""
        if self.status is not PromptStatus.PREPARING:
            self._take(Step.BEGIN_PREPARATION, now)

    def end_preparation(self, data_object: DataObject | None, now: datetime) -> None:
        """All that it needs is there."""
        self._ensure(Step.END_PREPARATION)
        self.data_object, self.prepared_at = data_object, now
        self._take(Step.END_PREPARATION, now)

    def submit(self, now: datetime) -> int:
        """It is going to be submitted. Returns which attempt this is: it is made once, whatever becomes of it."""
        self._ensure(Step.SUBMIT)
        if self.status is PromptStatus.SUBMITTED and self.submission is not Submission.UNSENT:
            raise errors.PromptAlready(self.status)
        self.attempts, self.submission, self.submitted_at = self.attempts + 1, Submission.BEGUN, now
        self._take(Step.SUBMIT, now)
        return self.attempts

    def note_submission(self, attempt: int, outcome: Submission) -> None:
        """It is known what became of an attempt. Changes nothing if the prompt has gone on since."""
        if (self.status, self.attempts, self.submission) == (PromptStatus.SUBMITTED, attempt, Submission.BEGUN):
            self.submission = outcome
            self._changed()

    def complete(self, response: JsonObject, attempt: int | None, now: datetime) -> None:
        """The response has come. The same one may come again."""
        if self.response is not None:
            if _canonical(self.response) != _canonical(response):
                raise errors.ResponseDiffers
            return
        self._ensure(Step.COMPLETE)
        if attempt not in {None, self.attempts}:
            raise errors.AnotherAttempt(self.attempts)
        self.response, self.completed_at, self.submission = response, now, Submission.ACCEPTED
        self._take(Step.COMPLETE, now)

    def respond(self, now: datetime) -> None:
        """The caller has the response."""
        self._ensure(Step.RESPOND)
        self.responded_at = now
        self._take(Step.RESPOND, now)

    def cancel(self, now: datetime) -> None:
        """Nobody wants it any more."""
        self._take(Step.CANCEL, now)

    def fault(self, code: str, detail: str, now: datetime) -> None:
        """It cannot go on."""
        self._ensure(Step.FAULT)
        self.error = Fault(code, detail)
        self._take(Step.FAULT, now)

    def expire(self, now: datetime) -> bool:
        """Faults if its time is over, and it has no response. Returns whether that is so."""
        is_over = not self.is_final and self.response is None and self.expires_at <= now
        if is_over:
            begun = self.status is PromptStatus.SUBMITTED and self.submission is Submission.BEGUN
            unclear = begun or self.submission is Submission.UNCLEAR
            self.fault("submission-unclear" if unclear else "expired", "There was no response in time.", now)
        return is_over

    def retry(self, now: datetime, expires_at: datetime) -> None:
        """Goes on from where it had come to: with its response, with its data, or from the beginning."""
        if self.response is not None:
            step = Step.RETRY_RESPONSE
        elif self.prepared_at is not None:
            step = Step.RETRY_SUBMISSION
        else:
            step = Step.RETRY_PREPARATION
        self._ensure(step)
        if self.retries >= _MOST_RETRIES:
            raise errors.TooManyRetries(_MOST_RETRIES)
        self.retries, self.error, self.expires_at = self.retries + 1, None, expires_at
        self._take(step, now)

    @property
    def _has_no_more_to_do(self) -> bool:
        return self.status is PromptStatus.COMPLETED and self.callback_url is None

    def _ensure(self, step: Step) -> PromptStatus:
        to = LIFE.get((self.status, step))
        if to is None or self._has_no_more_to_do:
            raise errors.PromptAlready(self.status)
        return to

    def _take(self, step: Step, now: datetime) -> None:
        self._record(step, self._ensure(step), now)

    def _record(self, step: Step, to: PromptStatus, now: datetime) -> None:
        self.status, self.changed_at = to, now
        self._changed()
        taken = Transition(number=self.version, step=step, status=to, at=now, attempt=self.attempts, error=self.error)
        self.history = [*self.history, taken][-_LONGEST_HISTORY:]

    def _changed(self) -> None:
        self.version += 1
        self.work = self._next_work()

    def _next_work(self) -> Work:
        match self.status:
            case PromptStatus.CREATED | PromptStatus.PREPARING:
                return Work.PREPARE
            case PromptStatus.PREPARED:
                return Work.SUBMIT
            case PromptStatus.SUBMITTED if self.submission in {Submission.BEGUN, Submission.UNSENT}:
                return Work.SUBMIT
            case PromptStatus.COMPLETED if self.callback_url is not None:
                return Work.RESPOND
            case _:
                return Work.NONE


def _canonical(value: JsonObject) -> str:
    """To compare JSON: in Python 1 equals true."""
    return json.dumps(value, sort_keys=True)
