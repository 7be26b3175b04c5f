"""Background tasks: work that is noted in the transaction of what needs it, and done once: later, or again and again.

Needs the extra `neuroglia[scheduling]`.
"""

from neuroglia.scheduling.background_tasks import BackgroundTasks as BackgroundTasks
from neuroglia.scheduling.jobs import JobInfo as JobInfo
from neuroglia.scheduling.tasks import BackgroundTask as BackgroundTask, background_task as background_task
