"""Taking in a prompt."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from api_gateway.application.access import caller_of
from api_gateway.application.limits import PromptLimits
from api_gateway.application.tasks.expire_prompt import ExpirePrompt
from api_gateway.application.tasks.job import PromptJob
from api_gateway.application.tasks.prepare_prompt import PreparePrompt
from api_gateway.domain.models.prompt import Prompt, PromptKind
from api_gateway.integration.models.prompts import PromptDto, ReceivedPrompt
from api_gateway.integration.ports import UrlGuard, UrlRefused
from neuroglia.core import Clock, FieldError, Ids, InvalidRequest, RequestContext, derived_id
from neuroglia.documents import Documents
from neuroglia.domain import Repository
from neuroglia.mapping import Mapper
from neuroglia.mediation import Command, CommandHandler
from neuroglia.scheduling import BackgroundTasks


@dataclass(frozen=True, slots=True)
class CreatePrompt(Command[ReceivedPrompt]):
    """Takes in a prompt of the caller who asks. One that came before under this `request_id` is shown as it is now."""

    kind: PromptKind
    context: Mapping[str, JsonValue]
    callback_url: str | None = None
    data_url: str | None = None
    request_id: str | None = None


class CreatePromptHandler(CommandHandler[CreatePrompt, ReceivedPrompt]):
    """A request id names the prompt: of two that come at the same time, one is stored, and the other one finds it."""

    def __init__(
        self,
        prompts: Repository[Prompt],
        known: Documents[Prompt],
        tasks: BackgroundTasks,
        guard: UrlGuard,
        limits: PromptLimits,
        context: RequestContext,
        ids: Ids,
        clock: Clock,
        mapper: Mapper,
    ) -> None:
        self.prompts = prompts
        self.known = known
        self.tasks = tasks
        self.guard = guard
        self.limits = limits
        self.context = context
        self.ids = ids
        self.clock = clock
        self.mapper = mapper

    async def handle(self, command: CreatePrompt) -> ReceivedPrompt:
        caller_id = caller_of(self.context.principal)
        if command.request_id is None:
            id = self.ids.new()
        else:
            id = derived_id("prompt", caller_id, command.request_id)
            if (first := await self.known.lookup(id)) is not None:
                return ReceivedPrompt(prompt=self.mapper.map(first, PromptDto), is_new=False)
        self._check_urls(command)
        now = self.clock.now()
        prompt = Prompt.receive(
            id,
            caller_id=caller_id,
            kind=command.kind,
            context=command.context,
            callback_url=command.callback_url,
            data_url=command.data_url,
            request_id=command.request_id,
            now=now,
            expires_at=now + self.limits.patience,
        )
        await self.prompts.save(prompt)
        job = PromptJob.of(prompt)
        await self.tasks.enqueue(PreparePrompt, job, key=job.key)
        await self.tasks.enqueue(ExpirePrompt, job, at=prompt.expires_at, key=job.key)
        return ReceivedPrompt(prompt=self.mapper.map(prompt, PromptDto), is_new=True)

    def _check_urls(self, command: CreatePrompt) -> None:
        wrong: list[FieldError] = []
        for name, url in (("callback_url", command.callback_url), ("data_url", command.data_url)):
            try:
                if url is not None:
                    self.guard.check(url)
            except UrlRefused as refusal:
                wrong.append(FieldError(f"/{name}", "url-refused", str(refusal)))
        if wrong:
            raise InvalidRequest(wrong)
