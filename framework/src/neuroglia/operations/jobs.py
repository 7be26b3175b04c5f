"""The admin API of work that waits, is done or is parked: `/operations/jobs`, and in other queues."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Final

from fastapi import Query
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from neuroglia.core import Clock, InvalidRequest, NotFoundError, SystemIds, current_context
from neuroglia.core.validation import field_errors
from neuroglia.documents import Documents, DocumentStore, DocumentType, Session, WorkItem, WorkItems, WorkState, eq
from neuroglia.domain import StateConflict
from neuroglia.mvc import DEFAULT_LIMIT, ControllerBase, Limit, Page, get, post
from neuroglia.scheduling.jobs import JOBS, Jobs, id_of
from neuroglia.scheduling.tasks import TaskTypes

_ADMIN: Final = ["operations:admin"]
_QUEUES: Final = (JOBS, "inbox", "outbox")
_DEADLINES: Final = ":deadlines"
_UNFINISHED: Final = (WorkState.PARKED, WorkState.RUNNING, WorkState.WAITING)
_ENDED: Final = (WorkState.DONE, WorkState.DISCARDED)
_KEPT: Final = timedelta(days=1)
Queue = Annotated[str, Query(description="`jobs`, `inbox`, `outbox`, `<process manager>:deadlines`.")]
State = Annotated[WorkState | None, Query(description="Without one: of each unfinished state the first.")]
Cursor = Annotated[str | None, Query(description="Where the page before ended: its `next_cursor`.")]


class NotRevivable(StateConflict):
    """Only what is parked, and a job that was cancelled, is begun again."""

    code: ClassVar[str] = "not-revivable"


class NotCancellable(StateConflict):
    """What has ended cannot be cancelled, and of what others handed over nothing may be missing."""

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
        self._items: DocumentType[WorkItem] = DocumentType(WorkItem)

    @get(scopes=_ADMIN)
    async def jobs(
        self, queue: Queue = JOBS, state: State = None, after: Cursor = None, limit: Limit = DEFAULT_LIMIT
    ) -> Page[WorkItem]:
        """Lists what stands in a queue, the longest due first."""
        items, where = Documents(self._items, Session(self._documents)), eq("queue", queue)
        if state is not None:
            return await items.find(where, eq("state", state), order="due", limit=limit, cursor=after)
        pages = [await items.find(where, eq("state", one), order="due", limit=limit) for one in _UNFINISHED]
        return Page(items=[item for page in pages for item in page.items])

    @get("/{id}", scopes=_ADMIN)
    async def job(self, id: str) -> WorkItem:
        """Shows one."""
        return await self._get(Session(self._documents), id)

    @post(status_code=202, scopes=_ADMIN)
    async def run(self, request: RunRequest) -> WorkItem:
        """Enqueues a job of a task."""
        kind, session, now = self._tasks.get(request.task), Session(self._documents), self._clock.now()
        if kind is None or self._jobs is None:
            raise NotFoundError("task", request.task)
        try:
            arguments = kind.decode(request.arguments)
        except ValidationError as error:
            found = field_errors(error.errors(include_url=False, include_context=False))
            raise InvalidRequest([replace(one, pointer=f"/arguments{one.pointer}") for one in found]) from None
        id = SystemIds().new() if request.key is None else id_of(request.task, request.key)
        await self._jobs.stage(session, kind, arguments, current_context(), id=id, due=now, key=request.key)
        await session.commit()
        return await self._get(session, id)

    @post("/{id}/retry", status_code=202, scopes=_ADMIN)
    async def retry(self, id: str) -> WorkItem:
        """Lets what is parked or cancelled be begun anew, with all its attempts, and what is parked behind it."""
        item = await self._get(Session(self._documents), id)
        ours = item.queue in _QUEUES or item.queue.endswith(_DEADLINES)
        if not ours or item.state not in {WorkState.PARKED, WorkState.DISCARDED}:
            raise NotRevivable("Only what is parked in one of these queues, or was cancelled, can be begun again.")
        behind = [
            one async for one in WorkItems(self._documents, item.queue).find(WorkState.PARKED, item.group or None)
        ]
        for one in [item, *(one for one in behind if item.group and one.id != id)]:
            await self._change(one.id, one.state, WorkState.WAITING, self._clock.now())
        return await self._get(Session(self._documents), id)

    @post("/{id}/cancel", status_code=202, scopes=_ADMIN)
    async def cancel(self, id: str) -> WorkItem:
        """Ends a job. Of one that runs just then, nothing is stored any more that it has staged."""
        item = await self._get(Session(self._documents), id)
        if item.queue != JOBS or item.state in _ENDED:
            raise NotCancellable("Only jobs that have not ended can be cancelled.")
        await self._change(id, item.state, WorkState.DISCARDED, self._clock.now() + _KEPT)
        return await self._get(Session(self._documents), id)

    async def _get(self, session: Session, id: str) -> WorkItem:
        if (item := await session.get(self._items, id)) is None:
            raise NotFoundError("job", id)
        return item

    async def _change(self, id: str, before: WorkState, state: WorkState, due: datetime) -> None:
        session = Session(self._documents)
        item = await self._get(session, id)
        if item.state is before:
            item.state, item.owner, item.due = state, "", due
            if state is WorkState.WAITING:
                item.attempts = item.waits = 0
            session.save(self._items, item)
            await session.commit()
