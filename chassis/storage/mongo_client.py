"""How the servers of MongoDB are spoken to: what the store promises, and what a URL may change."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from chassis.errors import CannotStart
from chassis.storage.mongo_measuring import Measured

_TIMEOUT: Final = 10_000
"""Milliseconds for one operation, its repetition included: longer than an election takes."""

# Settings that the URL may change. Those of durability it may not: they are what the store promises.
_DEFAULTS: Final[Mapping[str, Any]] = {
    "appname": "autoworker",
    "connecttimeoutms": 3_000,
    "maxpoolsize": 64,
    "serverselectiontimeoutms": 5_000,
    "timeoutms": _TIMEOUT,
}
_FIXED: Final[Mapping[str, Any]] = {
    "journal": True,
    "readconcernlevel": "majority",
    "retryreads": True,
    "retrywrites": True,
    "w": "majority",
}


def client_of(url: str, service: str) -> AsyncMongoClient[dict[str, Any]]:
    """A client of the servers at *url*, measured as *service*; it belongs to the running event loop.

    Raises:
        CannotStart: the URL cannot be used.
    """
    given = {name.lower() for name, _ in parse_qsl(urlsplit(url).query)}
    defaults = {name: value for name, value in _DEFAULTS.items() if name not in given}
    try:
        return AsyncMongoClient(url, event_listeners=[Measured(service)], **defaults, **_FIXED)
    except (PyMongoError, ValueError) as exc:
        # The driver's text may repeat the URL, which may have a password.
        raise CannotStart(f"AUTOWORKER_STORE_URL cannot be used ({type(exc).__name__})") from exc
