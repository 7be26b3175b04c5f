"""What the outside is told of prompts: ids and states, and neither contexts nor responses."""

from collections.abc import Mapping

from neuroglia.cloud_events import IntegrationEvent, cloud_event


@cloud_event("gateway.prompt-received.v1")
class PromptReceived(IntegrationEvent):
    """A caller has sent a prompt."""

    prompt_id: str
    caller_id: str
    kind: str
    status: str


@cloud_event("gateway.prompt-data-processed.v1")
class PromptDataProcessed(IntegrationEvent):
    """All that a prompt needs is there."""

    prompt_id: str
    caller_id: str
    status: str


@cloud_event("gateway.prompt-submitted.v1")
class PromptSubmitted(IntegrationEvent):
    """A prompt is going to the GenAI service, in this attempt."""

    prompt_id: str
    caller_id: str
    status: str
    attempt: int


@cloud_event("gateway.prompt-response-received.v1")
class PromptResponseReceived(IntegrationEvent):
    """A prompt has its response."""

    prompt_id: str
    caller_id: str
    status: str
    attempt: int


@cloud_event("gateway.prompt-responded.v1")
class PromptResponded(IntegrationEvent):
    """The caller was called back."""

    prompt_id: str
    caller_id: str
    status: str


@cloud_event("gateway.prompt-faulted.v1")
class PromptFaulted(IntegrationEvent):
    """A prompt cannot go on, unless somebody retries it. `code` says why."""

    prompt_id: str
    caller_id: str
    status: str
    code: str


@cloud_event("gateway.prompt-cancelled.v1")
class PromptCancelled(IntegrationEvent):
    """Nobody wants a prompt any more."""

    prompt_id: str
    caller_id: str
    status: str


@cloud_event("gateway.dependencies-health-checked.v1")
class DependenciesHealthChecked(IntegrationEvent):
    """Each service that the gateway needs was asked. `states` are `up` or `down` by name."""

    status: str
    states: Mapping[str, str]
