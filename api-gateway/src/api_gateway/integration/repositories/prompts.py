"""Prompts, each stored together with what the outside is told of it."""

from collections.abc import Sequence

from api_gateway.domain.models.prompt import Prompt, Transition
from api_gateway.domain.models.prompt_status import Step
from api_gateway.integration.models.events import (
    PromptCancelled,
    PromptDataProcessed,
    PromptFaulted,
    PromptReceived,
    PromptResponded,
    PromptResponseReceived,
    PromptSubmitted,
)
from neuroglia.cloud_events import IntegrationEvent, Outbox
from neuroglia.core import PreconditionFailed, RequestContext
from neuroglia.documents import Documents
from neuroglia.domain import Envelope, Repository


class PromptDocuments(Repository[Prompt]):
    """What is saved is stored with the events of its new steps: both or neither. Not, if somebody else was faster."""

    def __init__(self, documents: Documents[Prompt], outbox: Outbox, context: RequestContext) -> None:
        self._documents = documents
        self._outbox = outbox
        self._context = context
        self._told: dict[str, int] = {}

    async def get(self, id: str) -> Prompt:
        prompt = await self._documents.get(id)
        self._told.setdefault(id, prompt.version)
        return prompt

    async def save(self, aggregate: Prompt) -> Sequence[Envelope]:
        told, expected = self._told.get(aggregate.id, 0), self._context.expected_versions
        if expected is not None and told not in expected:
            raise PreconditionFailed("It is at another version than If-Match says. Read it again.")
        for transition in aggregate.history:
            if transition.number > told and (event := _event(aggregate, transition)) is not None:
                self._outbox.add(event, subject=aggregate.id, number=transition.number)
        self._told[aggregate.id] = aggregate.version
        return await self._documents.save(aggregate)


def _event(prompt: Prompt, taken: Transition) -> IntegrationEvent | None:
    id, caller_id, status = prompt.id, prompt.caller_id, taken.status.value
    match taken.step:
        case Step.RECEIVE:
            return PromptReceived(prompt_id=id, caller_id=caller_id, kind=prompt.kind.value, status=status)
        case Step.END_PREPARATION:
            return PromptDataProcessed(prompt_id=id, caller_id=caller_id, status=status)
        case Step.SUBMIT:
            return PromptSubmitted(prompt_id=id, caller_id=caller_id, status=status, attempt=taken.attempt)
        case Step.COMPLETE:
            return PromptResponseReceived(prompt_id=id, caller_id=caller_id, status=status, attempt=taken.attempt)
        case Step.RESPOND:
            return PromptResponded(prompt_id=id, caller_id=caller_id, status=status)
        case Step.CANCEL:
            return PromptCancelled(prompt_id=id, caller_id=caller_id, status=status)
        case Step.FAULT:
            code = "unknown" if taken.error is None else taken.error.code
            return PromptFaulted(prompt_id=id, caller_id=caller_id, status=status, code=code)
        case _:
            return None
