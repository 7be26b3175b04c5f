"""Registering the tasks of a package, and what runs them."""

from collections.abc import Sequence
from types import ModuleType

from neuroglia.core.errors import ConfigurationError
from neuroglia.core.lifecycle import HostedService, UnitOfWork
from neuroglia.dependency_injection import ServiceCollection
from neuroglia.documents import DocumentStore
from neuroglia.scheduling.background_tasks import BackgroundTasks, Promptly
from neuroglia.scheduling.jobs import CurrentJob, JobInfo, Jobs, job_of
from neuroglia.scheduling.tasks import TaskTypes, read_tasks
from neuroglia.scheduling.triggers import Schedule as Schedule, Triggers, times_of
from neuroglia.scheduling.workers import JobWorkers, SchedulingOptions as SchedulingOptions


def add_background_tasks(
    services: ServiceCollection, modules: Sequence[ModuleType], options: SchedulingOptions
) -> Sequence[type[HostedService]]:
    """Registers the tasks of these modules, and what they need. Returns what is to be hosted.

    Raises:
        ConfigurationError: what `read_tasks` and `times_of` refuse; there is no task, or no document store.
    """
    if not any(registration.service is DocumentStore for registration in services.registrations):
        raise ConfigurationError("add_background_tasks: jobs are documents; call add_documents before it")
    if not (types := read_tasks(modules)):
        raise ConfigurationError(f"add_background_tasks: {modules[0].__name__} has no tasks; name their package")
    for kind in types.values():
        times_of(kind)
        services.add_scoped(kind.task)
    services.add_instance(TaskTypes, types)
    services.add_instance(SchedulingOptions, options)
    services.add_singleton(Jobs)
    services.add_singleton(JobWorkers)
    services.add_scoped(CurrentJob)
    services.add_scoped(JobInfo, job_of)
    services.add_scoped(Promptly)
    services.add_scoped(UnitOfWork, _promptly)  # behind the session, which stores the jobs
    services.add_scoped(BackgroundTasks)
    return [JobWorkers, Triggers]


def _promptly(promptly: Promptly) -> UnitOfWork:
    return promptly
