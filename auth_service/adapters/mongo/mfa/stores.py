"""All stores of second factors."""

from dataclasses import dataclass

from auth_service.adapters.mongo.ledger import MongoLedger
from auth_service.adapters.mongo.mfa.challenges import (
    MongoChallenges,
    MongoSentCodes,
    MongoTallies,
)
from auth_service.adapters.mongo.mfa.devices import MongoDevices
from auth_service.adapters.mongo.mfa.factors import MongoFactors, MongoRecoveryCodes


@dataclass(frozen=True, slots=True)
class MongoMfa:
    """The stores of second factors."""

    factors: MongoFactors
    recovery: MongoRecoveryCodes
    challenges: MongoChallenges
    sent: MongoSentCodes
    tallies: MongoTallies
    devices: MongoDevices


def mfa_stores(ledger: MongoLedger) -> MongoMfa:
    """The stores that write through *ledger*."""
    return MongoMfa(
        factors=MongoFactors(ledger),
        recovery=MongoRecoveryCodes(ledger),
        challenges=MongoChallenges(ledger),
        sent=MongoSentCodes(ledger),
        tallies=MongoTallies(ledger),
        devices=MongoDevices(ledger),
    )
