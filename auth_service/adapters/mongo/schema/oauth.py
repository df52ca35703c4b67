"""Clients, consents, and what is on its way to a client. Secrets and codes are there as SHA-256."""

from typing import Final

from pymongo import ASCENDING, IndexModel

from chassis.storage.mongo_migrations import MongoMigration

_CLIENT: Final = IndexModel("client_id", name="by_client")
_END: Final = IndexModel("expires_at", name="by_end")

MIGRATIONS: Final = (
    MongoMigration(
        25,
        "OAuth clients, grants and consents",
        {
            "oauth_clients": (
                IndexModel([("tenant", ASCENDING), ("_id", ASCENDING)], name="by_tenant"),
            ),
            "oauth_client_secrets": (_CLIENT,),
            # Assertions of clients that were seen, until they would be refused for their age.
            "oauth_assertions": (_CLIENT, _END),
            "oauth_grants": (),
            # Spent codes stay for a day: without them a second use would look like a guess.
            "oauth_codes": (_CLIENT, _END),
            "oauth_pushed": (_CLIENT, _END),
            "oauth_requests": (_CLIENT, IndexModel("browser", name="by_browser"), _END),
            "oauth_browsers": (IndexModel("session_id", name="by_session"), _END),
            "oauth_consents": (
                IndexModel([("user_id", ASCENDING), ("client_id", ASCENDING)], name="by_user"),
                _CLIENT,
            ),
            "oauth_devices": (
                IndexModel("user_code", name="by_user_code", unique=True),
                _CLIENT,
                _END,
            ),
        },
    ),
)
BY_USER: Final = ("oauth_consents",)
BY_SESSION: Final = {"oauth_browsers": "session_id", "oauth_grants": "_id"}
