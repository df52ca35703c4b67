"""Large values, kept once by content address, apart from the facts that have them.

What is stored of a commit (events, a snapshot, input and output) is JSON. A JSON value in it of more bytes than a
threshold is *taken out*: its place holds null, a reference beside the JSON says which value belongs there, and the value
is kept under the SHA-256 of its own JSON. References stand beside the JSON and not in it, so no input can look like one.
"""

from workflow_service.adapters.payloads.codec import CommitEncoding, Payload, PayloadCodec
from workflow_service.adapters.payloads.joining import DamagedPayload, Fetch, TakenOut, opened
from workflow_service.adapters.payloads.references import Reference, size_of

__all__ = [
    "CommitEncoding",
    "DamagedPayload",
    "Fetch",
    "Payload",
    "PayloadCodec",
    "Reference",
    "TakenOut",
    "opened",
    "size_of",
]
