"""Devices on which a second factor is not asked for again."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Device:
    """A remembered device; the store knows its token by the SHA-256 alone."""

    id: str
    user_id: str
    tenant: str
    digest: bytes
    address: str
    user_agent: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
