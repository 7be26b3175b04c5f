"""State kept as documents: read models, state-based aggregates, checkpoints. One session, one commit."""

from neuroglia.documents.conditions import Condition, eq, ge, gt, le, lt
from neuroglia.documents.documents import Documents
from neuroglia.documents.generations import Generations
from neuroglia.documents.leases import Lease
from neuroglia.documents.session import Session
from neuroglia.documents.store import DocumentStore, Find, StoredDocument, Write
from neuroglia.documents.types import DocumentType, document
from neuroglia.documents.work_items import WorkItem, WorkItems, WorkQueue, WorkState

__all__ = [
    "Condition",
    "DocumentStore",
    "DocumentType",
    "Documents",
    "Find",
    "Generations",
    "Lease",
    "Session",
    "StoredDocument",
    "WorkItem",
    "WorkItems",
    "WorkQueue",
    "WorkState",
    "Write",
    "document",
    "eq",
    "ge",
    "gt",
    "le",
    "lt",
]
