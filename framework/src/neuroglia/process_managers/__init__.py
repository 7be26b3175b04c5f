"""Process managers: what several aggregates do together, step by step, each step once."""

from neuroglia.process_managers.manager import ProcessManager as ProcessManager
from neuroglia.process_managers.runner import ProcessRunner as ProcessRunner
from neuroglia.process_managers.steps import Refusal as Refusal, Step as Step, Steps as Steps
