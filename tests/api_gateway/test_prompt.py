"""The prompt itself: every state, and everything that could happen in it."""

from collections.abc import Callable

import pytest

from api_gateway.domain import errors
from api_gateway.domain.models.prompt import Prompt, Submission, Work
from api_gateway.domain.models.prompt_status import LIFE, PromptStatus, Step
from tests.api_gateway.prompts import DATA, LATER, NOW, RESPONSE, prompt_in, received, submitted

S = PromptStatus
ACTIONS: dict[str, Callable[[Prompt], object]] = {
    "begin_preparation": lambda prompt: prompt.begin_preparation(LATER),
    "end_preparation": lambda prompt: prompt.end_preparation(DATA, LATER),
    "submit": lambda prompt: prompt.submit(LATER),
    "complete": lambda prompt: prompt.complete(RESPONSE, None, LATER),
    "respond": lambda prompt: prompt.respond(LATER),
    "cancel": lambda prompt: prompt.cancel(LATER),
    "fault": lambda prompt: prompt.fault("broken", "It is broken.", LATER),
    "expire": lambda prompt: prompt.expire(LATER),
    "retry": lambda prompt: prompt.retry(LATER, LATER),
}
LEADS = {
    S.CREATED: {"begin_preparation": S.PREPARING, "cancel": S.CANCELLED, "fault": S.FAULTED, "expire": S.FAULTED},
    S.PREPARING: {
        "begin_preparation": S.PREPARING, "end_preparation": S.PREPARED,
        "cancel": S.CANCELLED, "fault": S.FAULTED, "expire": S.FAULTED,
    },
    S.PREPARED: {"submit": S.SUBMITTED, "cancel": S.CANCELLED, "fault": S.FAULTED, "expire": S.FAULTED},
    S.SUBMITTED: {"complete": S.COMPLETED, "cancel": S.CANCELLED, "fault": S.FAULTED, "expire": S.FAULTED},
    S.COMPLETED: {
        "complete": S.COMPLETED, "respond": S.RESPONDED, "cancel": S.CANCELLED, "fault": S.FAULTED,
        "expire": S.COMPLETED,
    },
    S.RESPONDED: {"complete": S.RESPONDED, "expire": S.RESPONDED},
    S.CANCELLED: {"expire": S.CANCELLED},
    S.FAULTED: {"retry": S.CREATED, "expire": S.FAULTED},
}  # fmt: skip
"""Written once more, by the names of what is done: everything else is refused, and changes nothing."""


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("status", PromptStatus)
def test_in_every_state_everything_leads_where_it_should_or_is_refused(status: PromptStatus, action: str) -> None:
    prompt = prompt_in(status)
    before, leads = (prompt.version, len(prompt.history)), LEADS[status].get(action)

    if leads is None:
        with pytest.raises(errors.PromptAlready):
            ACTIONS[action](prompt)
        assert (prompt.status, prompt.version, len(prompt.history)) == (status, *before)
    else:
        ACTIONS[action](prompt)
        assert prompt.status is leads
        assert (prompt.version > before[0]) == (len(prompt.history) > before[1]) == (leads is not status)


def test_the_table_knows_every_state_and_every_step_but_the_first() -> None:
    assert {state for state, _ in LIFE} == {*PromptStatus} - {S.RESPONDED, S.CANCELLED}
    assert {step for _, step in LIFE} == {*Step} - {Step.RECEIVE}


@pytest.mark.parametrize("action", ["respond", "cancel", "fault", "retry", "submit"])
def test_given_nobody_to_call_back_then_a_completed_prompt_is_final(action: str) -> None:
    prompt = prompt_in(S.COMPLETED, callback_url=None)

    assert (prompt.is_final, prompt.work) == (True, Work.NONE)
    with pytest.raises(errors.PromptAlready):
        ACTIONS[action](prompt)


@pytest.mark.parametrize(
    ("status", "final"),
    [(S.CREATED, False), (S.SUBMITTED, False), (S.COMPLETED, False), (S.RESPONDED, True), (S.CANCELLED, True),
     (S.FAULTED, True)],
)  # fmt: skip
def test_what_is_final_says_so(status: PromptStatus, final: bool) -> None:
    assert prompt_in(status).is_final is final


@pytest.mark.parametrize("outcome", [Submission.BEGUN, Submission.ACCEPTED, Submission.UNCLEAR])
def test_given_an_attempt_that_may_have_arrived_then_it_is_not_made_again(outcome: Submission) -> None:
    prompt = submitted(outcome) if outcome is not Submission.BEGUN else prompt_in(S.SUBMITTED)

    with pytest.raises(errors.PromptAlready):
        prompt.submit(LATER)
    assert prompt.attempts == 1


def test_given_an_attempt_that_certainly_did_not_arrive_then_the_next_one_has_another_number() -> None:
    prompt = submitted(Submission.UNSENT)

    assert prompt.submit(LATER) == 2
    prompt.note_submission(1, Submission.ACCEPTED)
    assert (prompt.submission, prompt.attempts) == (Submission.BEGUN, 2)


@pytest.mark.parametrize(
    ("outcome", "work"),
    [(Submission.UNSENT, Work.SUBMIT), (Submission.ACCEPTED, Work.NONE), (Submission.UNCLEAR, Work.NONE)],
)
def test_what_has_to_be_done_next_is_known(outcome: Submission, work: Work) -> None:
    assert submitted(outcome).work is work


@pytest.mark.parametrize(
    ("outcome", "code"),
    [(Submission.BEGUN, "submission-unclear"), (Submission.UNCLEAR, "submission-unclear"),
     (Submission.ACCEPTED, "expired"), (Submission.UNSENT, "expired")],
)  # fmt: skip
def test_given_an_attempt_that_may_have_arrived_or_not_then_the_prompt_expires_with_that_reason(
    outcome: Submission, code: str
) -> None:
    prompt = submitted(outcome)

    assert not prompt.expire(NOW)
    assert prompt.expire(LATER)
    assert prompt.error is not None
    assert prompt.error.code == code


def test_given_a_retry_that_was_not_begun_then_it_expires_for_no_reason_of_the_attempt_before() -> None:
    prompt = prompt_in(S.SUBMITTED)
    prompt.fault("submission-refused", "It is refused.", NOW)
    prompt.retry(NOW, LATER)

    assert prompt.expire(LATER)
    assert prompt.error is not None
    assert prompt.error.code == "expired"


def test_given_another_response_or_one_to_another_attempt_then_it_is_refused() -> None:
    prompt = prompt_in(S.SUBMITTED)
    with pytest.raises(errors.AnotherAttempt):
        prompt.complete(RESPONSE, 2, NOW)
    prompt.complete({"right": True}, 1, NOW)

    prompt.complete({"right": True}, 1, NOW)
    with pytest.raises(errors.ResponseDiffers):
        prompt.complete({"right": 1}, 1, NOW)
    assert prompt.response == {"right": True}


@pytest.mark.parametrize(
    ("came_to", "goes_on"),
    [(S.CREATED, S.CREATED), (S.PREPARING, S.CREATED), (S.PREPARED, S.PREPARED), (S.SUBMITTED, S.PREPARED),
     (S.COMPLETED, S.COMPLETED)],
)  # fmt: skip
def test_given_a_retry_then_it_goes_on_from_what_is_there(came_to: PromptStatus, goes_on: PromptStatus) -> None:
    prompt = prompt_in(came_to)
    attempts = prompt.attempts
    prompt.fault("broken", "It is broken.", NOW)

    prompt.retry(NOW, LATER)

    assert (prompt.status, prompt.error, prompt.retries, prompt.attempts) == (goes_on, None, 1, attempts)


def test_given_twenty_retries_then_there_is_no_other() -> None:
    prompt = received()
    for _ in range(20):
        prompt.begin_preparation(NOW)
        prompt.fault("broken", "It is broken.", NOW)
        prompt.retry(NOW, LATER)
    prompt.fault("broken", "It is broken.", NOW)

    with pytest.raises(errors.TooManyRetries):
        prompt.retry(NOW, LATER)


def test_given_more_attempts_than_anybody_wants_to_see_then_the_last_steps_are_kept() -> None:
    prompt = prompt_in(S.SUBMITTED)
    for attempt in range(1, 300):
        prompt.note_submission(attempt, Submission.UNSENT)
        prompt.submit(LATER)

    assert len(prompt.history) == 200
    assert (prompt.history[-1].attempt, prompt.history[-1].number) == (300, prompt.version)


def test_the_versions_of_its_steps_grow() -> None:
    prompt = submitted(Submission.ACCEPTED)
    prompt.complete(RESPONSE, None, NOW)

    numbers = [taken.number for taken in prompt.history]
    assert numbers == sorted({*numbers})
    assert numbers[-1] == prompt.version
