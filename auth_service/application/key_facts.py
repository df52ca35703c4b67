"""What owners hear of their API keys: whoever made one in their name should not go unnoticed."""

from datetime import datetime

from auth_service.domain.api_key import ApiKey
from auth_service.domain.events import AccountFact, FactKind


def key_fact(kind: FactKind, key: ApiKey, event_id: str, at: datetime) -> AccountFact:
    """That *kind* happened to *key*. Its name is its owner's: workflows of others hear this, too."""
    return AccountFact(event_id, kind, key.tenant, key.owner, at, {"key_id": key.id})
