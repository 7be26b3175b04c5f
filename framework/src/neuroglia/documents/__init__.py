"""State kept as documents: read models, state-based aggregates, checkpoints. One session, one commit."""

from neuroglia.documents.attempts import AskedToWait as AskedToWait
from neuroglia.documents.conditions import Condition as Condition, eq as eq, ge as ge, gt as gt, le as le, lt as lt
from neuroglia.documents.documents import Documents as Documents
from neuroglia.documents.generations import Generations as Generations
from neuroglia.documents.leases import Lease as Lease
from neuroglia.documents.session import Session as Session, sweep as sweep
from neuroglia.documents.store import (
    DocumentStore as DocumentStore,
    Find as Find,
    StoredDocument as StoredDocument,
    Write as Write,
)
from neuroglia.documents.types import DocumentType as DocumentType, document as document, keep as keep
from neuroglia.documents.work_items import (
    WORK_ITEMS as WORK_ITEMS,
    WorkItem as WorkItem,
    WorkItems as WorkItems,
    WorkQueue as WorkQueue,
    WorkState as WorkState,
)
