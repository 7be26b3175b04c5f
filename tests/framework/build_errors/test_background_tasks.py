"""What stops the start of a service with background tasks."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from neuroglia.core import ConfigurationError
from neuroglia.hosting import ServiceSettings, WebApplicationBuilder
from neuroglia.scheduling.tasks import TaskTypes
from tests.framework.scheduling.chores import WriteLetter

HEAD = """
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar
from neuroglia.documents import Documents
from neuroglia.scheduling import BackgroundTask, BackgroundTasks, JobInfo, background_task

@dataclass(frozen=True, slots=True)
class Letter:
    to: str

@background_task("sound")
class Sound(BackgroundTask[Letter]):
    def __init__(self, tasks: BackgroundTasks, job: JobInfo) -> None: ...
    async def run(self, arguments: Letter) -> None: ...
"""
NOTHING = "class Clean(BackgroundTask[None]):\n    async def run(self, arguments: None) -> None: ..."
Build = Callable[[str], None]


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Build]:
    """Builds a service with a sound task and this code."""
    monkeypatch.syspath_prepend(tmp_path)

    def run(code: str) -> None:
        (tmp_path / "chores_app.py").write_text(HEAD + dedent(code))
        builder = WebApplicationBuilder(ServiceSettings(document_store_url="sqlite:///:memory:"))
        builder.add_documents("chores_app")
        builder.add_background_tasks("chores_app")
        builder.build()

    yield run
    sys.modules.pop("chores_app", None)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "class Clean(BackgroundTask[Letter]):\n    async def run(self, arguments: Letter) -> None: ...",
            'Clean: needs a name; write @background_task("name") over it',
        ),
        (
            f'@background_task("sound")\n{NOTHING}',
            "Clean: Sound already has the name 'sound'; give it another",
        ),
        (
            '@background_task("clean")\nclass Clean(BackgroundTask[Letter]): ...',
            "Clean: has no run; write what is missing, or derive it from ABC, too, if it is a base of others",
        ),
        (
            '@background_task("clean")\nclass Clean(BackgroundTask[Letter]):\n    def run(self, arguments): ...',
            "Clean: has no `async def run(self, arguments)`; write one",
        ),
        (
            '@background_task("clean")\nclass Clean(BackgroundTask):\n    async def run(self, arguments): ...',
            "Clean: parameter 'arguments' of run has no type; name it, as BackgroundTask[Letter], or [None]",
        ),
        (
            '@background_task("clean")\nclass Clean(BackgroundTask[Any]):\n    async def run(self, arguments): ...',
            "Clean: parameter 'arguments' of run has no type; name it, as BackgroundTask[Letter], or [None]",
        ),
        (
            (
                'class Bin: ...\n@background_task("clean")\nclass Clean(BackgroundTask[Bin]):\n'
                "    async def run(self, arguments: Bin) -> None: ..."
            ),
            "Clean: parameter 'arguments' is a Bin, which cannot be stored; make it a dataclass or a pydantic model",
        ),
        (
            (
                'class Broom: ...\n@background_task("clean")\nclass Clean(BackgroundTask[None]):\n'
                "    def __init__(self, broom: Broom) -> None: ...\n"
                "    async def run(self, arguments: None) -> None: ..."
            ),
            (
                "Clean: parameter 'broom' needs Broom, which nobody registered; "
                "add it to the services, or give the parameter a default"
            ),
        ),
        (
            f'@background_task("clean", cron="every day")\n{NOTHING}',
            (
                "Clean: cron='every day' cannot be read (Wrong number of fields; got 2, expected 5); "
                "write five fields, as '*/5 * * * *'"
            ),
        ),
        (
            f'@background_task("clean", cron="")\n{NOTHING}',
            (
                "Clean: cron='' cannot be read (Wrong number of fields; got 0, expected 5); "
                "write five fields, as '*/5 * * * *'"
            ),
        ),
        (
            f'@background_task("clean", cron="0 8 * * 1-5")\n{NOTHING}',
            "Clean: cron='0 8 * * 1-5' has days of the week as numbers; write mon, tue, …",
        ),
        (
            f'@background_task("clean", cron="0 0 31 2 *")\n{NOTHING}',
            "Clean: cron='0 0 31 2 *' never comes; write a day that there is",
        ),
        (
            f'@background_task("clean", cron="0 8 * * *", every=timedelta(hours=1))\n{NOTHING}',
            "Clean: has every= and cron=; keep one",
        ),
        (
            f'@background_task("clean", every=timedelta(seconds=1.5))\n{NOTHING}',
            "Clean: every=0:00:01.500000 is too short or broken; give it whole seconds",
        ),
        (
            (
                '@background_task("clean", every=timedelta(hours=1))\nclass Clean(BackgroundTask[Letter]):\n'
                "    async def run(self, arguments: Letter) -> None: ..."
            ),
            "Clean: runs at its times and so gets no arguments; derive it from BackgroundTask[None]",
        ),
        (
            f'@background_task("clean", every=timedelta(hours=1), misfire_grace=timedelta(0))\n{NOTHING}',
            "Clean: misfire_grace=0:00:00 leaves nothing; give it a second or more, or None",
        ),
        (
            f'@background_task("clean", attempts=0)\n{NOTHING}',
            "Clean: attempts=0 is none at all; give it 1 or more",
        ),
    ],
)
def test_a_task_that_cannot_work_stops_the_start_and_the_remedy_is_told(build: Build, code: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as failed:
        build(code)

    assert str(failed.value) == message


def test_given_nothing_wrong_and_a_base_class_for_others_then_it_is_built(build: Build) -> None:
    build(
        """
        A = TypeVar("A")

        class Shared(BackgroundTask[A], Generic[A]):
            pass

        @background_task("clean", cron="0 8 * * mon-fri")
        class Clean(Shared[None]):
            async def run(self, arguments: None) -> None: ...
        """
    )


def test_given_no_documents_then_the_remedy_is_told() -> None:
    builder = WebApplicationBuilder(ServiceSettings())

    with pytest.raises(ConfigurationError) as failed:
        builder.add_background_tasks("tests.framework.scheduling.chores")

    assert str(failed.value) == "add_background_tasks: jobs are documents; call add_documents before it"


def test_given_a_package_without_tasks_then_the_remedy_is_told() -> None:
    builder = WebApplicationBuilder(ServiceSettings(document_store_url="sqlite:///:memory:"))
    builder.add_documents("json")

    with pytest.raises(ConfigurationError) as failed:
        builder.add_background_tasks("json")

    assert str(failed.value) == "add_background_tasks: json has no tasks; name their package"


def test_given_a_task_of_another_package_when_enqueued_then_the_remedy_is_told() -> None:
    with pytest.raises(ConfigurationError) as failed:
        TaskTypes().of(WriteLetter)

    assert str(failed.value) == "WriteLetter: is no task of the package given to add_background_tasks"
