"""What replicas of the service need to fetch only once for all of them."""

from contextlib import AbstractAsyncContextManager
from typing import Final

from chassis.caching.opening import Caches, caches_at
from chassis.clock import Clock
from chassis.crypto.key_file import load_or_create
from chassis.crypto.safe import Safe
from workflow_service.config import Settings

_PURPOSE: Final = "shared cache"


def shared_caches(settings: Settings, clock: Clock) -> AbstractAsyncContextManager[Caches]:
    """Return the caches that `AUTOWORKER_CACHE_URL` names, sealed under the operator's key for secrets.

    Raises:
        CannotStart: the file of keys cannot be used.
    """
    safe = Safe(load_or_create(settings.secrets_key_file), _PURPOSE)
    return caches_at(settings.backends.cache_url, clock, safe)
