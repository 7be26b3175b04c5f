"""CloudEvents 1.0: what other services tell this one, and what it tells them.

Needs the extra `neuroglia[cloud-events]`.
"""

from neuroglia.cloud_events.bus import CloudEventBus as CloudEventBus
from neuroglia.cloud_events.events import IntegrationEvent as IntegrationEvent, cloud_event as cloud_event
from neuroglia.cloud_events.handlers import CloudEventHandler as CloudEventHandler
from neuroglia.cloud_events.outbox import Outbox as Outbox
from neuroglia.cloud_events.publications import publishes as publishes
