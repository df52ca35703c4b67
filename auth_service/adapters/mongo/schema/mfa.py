"""Second factors: factors, codes, challenges, counters, devices."""

from collections.abc import Mapping
from typing import Final

from pymongo import ASCENDING, IndexModel

from chassis.storage.mongo_migrations import MongoMigration

_USER: Final = IndexModel("user_id", name="by_user")
_END: Final = IndexModel("expires_at", name="by_end")
_ONE_OF_A_KIND: Final = [("user_id", ASCENDING), ("kind", ASCENDING)]

MIGRATIONS: Final = (
    MongoMigration(
        46,
        "second factors",
        {
            "mfa_factors": (
                IndexModel(
                    _ONE_OF_A_KIND,
                    name="confirmed",
                    unique=True,
                    partialFilterExpression={"confirmed_at": {"$type": "number"}},
                ),
                IndexModel(
                    _ONE_OF_A_KIND,
                    name="pending",
                    unique=True,
                    partialFilterExpression={"confirmed_at": {"$type": "null"}},
                ),
                _USER,
            ),
            "mfa_recovery_codes": (_USER,),
            "mfa_sent_codes": (IndexModel("subject", name="by_subject"), _USER, _END),
            "mfa_challenges": (_USER, _END),
            "mfa_tallies": (IndexModel("ends_at", name="by_end"),),
            "mfa_devices": (
                IndexModel("digest", name="by_digest", unique=True),
                _USER,
                _END,
            ),
        },
    ),
)
BY_USER: Final = (
    "mfa_factors",
    "mfa_recovery_codes",
    "mfa_sent_codes",
    "mfa_challenges",
    "mfa_devices",
)
BY_SESSION: Final[Mapping[str, str]] = {}
