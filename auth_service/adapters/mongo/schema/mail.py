"""Mails about accounts that notification_service does not have yet."""

from collections.abc import Mapping
from typing import Final

from pymongo import IndexModel

from chassis.storage.mongo_migrations import MongoMigration

MIGRATIONS: Final = (
    # What a mail says is sealed; it is there only until it was passed on.
    MongoMigration(30, "outbox of mails", {"mail_outbox": (IndexModel("due_at", name="due"),)}),
)
BY_USER: Final[tuple[str, ...]] = ()
BY_SESSION: Final[Mapping[str, str]] = {}
