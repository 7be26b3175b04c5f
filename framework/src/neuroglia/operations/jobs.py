"""The admin API of work that waits, is done or is parked: `/operations/jobs`, and in other queues."""

from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Final

from fastapi import Query
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from neuroglia.core import Clock, InvalidRequest, NotFoundError, current_context
from neuroglia.core.validation import misfits
from neuroglia.documents import WORK_ITEMS, Documents, DocumentStore, Session, WorkItem, WorkItems, WorkState, eq
from neuroglia.domain import StateConflict
from neuroglia.mvc import DEFAULT_LIMIT, ControllerBase, Cursor, Limit, Page, get, post
from neuroglia.scheduling.jobs import JOBS, Jobs
from neuroglia.scheduling.tasks import TaskTypes

ADMIN: Final = ["operations:admin"]
NO_KEY: Final[dict[str, Any]] = {"parameters": []}
"""For OpenAPI: these endpoints take no `Idempotency-Key`, for they send no command that it could mark."""
_QUEUES: Final = (JOBS, "inbox", "outbox")
_DEADLINES: Final = ":deadlines"
_UNFINISHED: Final = (WorkState.PARKED, WorkState.RUNNING, WorkState.WAITING)
_ENDED: Final = (WorkState.DONE, WorkState.DISCARDED)
_KEPT: Final = timedelta(days=1)
Queue = Annotated[str, Query(description="`jobs`, `inbox`, `outbox`, `<process manager>:deadlines`.")]
State = Annotated[WorkState | None, Query(description="Without one: of each unfinished state the first.")]


class NotRevivable(StateConflict):
    """Only what is parked, and a job that was cancelled, is begun again."""

    code: ClassVar[str] = "not-revivable"


class NotCancellable(StateConflict):
    """What has ended cannot be cancelled; of other queues, only what is parked in the inbox: nothing waits for it."""

    code: ClassVar[str] = "not-cancellable"


class RunRequest(BaseModel):
    """A job of a task, for now. `key`: see `BackgroundTasks.enqueue`."""

    model_config = ConfigDict(extra="forbid")
    task: str
    arguments: JsonValue = None
    key: str | None = None


class JobsController(ControllerBase, prefix="/operations/jobs"):
    def __init__(
        self, documents: DocumentStore, clock: Clock, jobs: Jobs | None = None, tasks: TaskTypes | None = None
    ) -> None:
        """It asks the store itself: there is no use case between. Without tasks, there are other queues."""
        self._documents, self._clock, self._jobs = documents, clock, jobs
        self._tasks = tasks or TaskTypes()

    @get(scopes=ADMIN)
    async def jobs(
        self, queue: Queue = JOBS, state: State = None, after: Cursor = None, limit: Limit = DEFAULT_LIMIT
    ) -> Page[WorkItem]:
        """Lists what stands in a queue, the longest due first."""
        items, where = Documents(WORK_ITEMS, Session(self._documents)), eq("queue", queue)
        if state is not None:
            return await items.find(where, eq("state", state), order="due", limit=limit, cursor=after)
        pages = [await items.find(where, eq("state", one), order="due", limit=limit) for one in _UNFINISHED]
        return Page(items=[item for page in pages for item in page.items])

    @get("/{id}", scopes=ADMIN)
    async def job(self, id: str) -> WorkItem:
        """Shows one."""
        return await Documents(WORK_ITEMS, Session(self._documents)).get(id)

    @post(status_code=202, scopes=ADMIN, openapi_extra=NO_KEY)
    async def run(self, request: RunRequest) -> WorkItem:
        """Enqueues a job of a task."""
        kind, session = self._tasks.get(request.task), Session(self._documents)
        if kind is None or self._jobs is None:
            raise NotFoundError("task", request.task)
        try:
            arguments = kind.decode(request.arguments)
        except ValidationError as error:
            raise InvalidRequest(misfits(error, at="/arguments")) from None
        id = await self._jobs.stage(session, kind, arguments, current_context(), due=self._clock.now(), key=request.key)
        await session.commit()
        return await self.job(id)

    @post("/{id}/retry", status_code=202, scopes=ADMIN, openapi_extra=NO_KEY)
    async def retry(self, id: str) -> WorkItem:
        """Lets what is parked or cancelled be begun anew, with all its attempts, and what is parked behind it."""
        item = await self.job(id)
        ours = item.queue in _QUEUES or item.queue.endswith(_DEADLINES)
        if not ours or item.state not in {WorkState.PARKED, WorkState.DISCARDED}:
            raise NotRevivable("Only what is parked in one of these queues, or was cancelled, can be begun again.")
        items = [item]
        if item.group:  # what is cancelled has none: it is parked, and so is what stands behind it
            items = [one async for one in WorkItems(self._documents, item.queue).find(WorkState.PARKED, item.group)]
        for one in items:
            await self._change(one, WorkState.WAITING, self._clock.now())
        return await self.job(id)

    @post("/{id}/cancel", status_code=202, scopes=ADMIN, openapi_extra=NO_KEY)
    async def cancel(self, id: str) -> WorkItem:
        """Ends a job, or leaves out for ever what is parked in the inbox. Of a job that runs just then, nothing is
        stored any more that it has staged."""
        item = await self.job(id)
        is_parked_event = (item.queue, item.state) == ("inbox", WorkState.PARKED)
        if not is_parked_event and (item.queue != JOBS or item.state in _ENDED):
            raise NotCancellable("Only jobs that have not ended can be cancelled, and what is parked in the inbox.")
        await self._change(item, WorkState.DISCARDED, self._clock.now() + _KEPT)
        return await self.job(id)

    async def _change(self, seen: WorkItem, state: WorkState, due: datetime) -> None:
        """Changes an item, if it still is as it was seen."""
        session = Session(self._documents)
        item = await Documents(WORK_ITEMS, session).get(seen.id)
        if item.state is seen.state:
            item.state, item.owner, item.due = state, "", due
            if state is WorkState.WAITING:
                item.attempts = item.waits = 0
            session.save(WORK_ITEMS, item)
            await session.commit()
