"""All stores of OAuth."""

from collections.abc import Sequence
from dataclasses import dataclass

from auth_service.adapters.mongo.ledger import MongoLedger
from auth_service.adapters.mongo.oauth_browsers import MongoBrowsers, MongoConsents
from auth_service.adapters.mongo.oauth_clients import MongoOAuthClients
from auth_service.adapters.mongo.oauth_devices import MongoDeviceGrants
from auth_service.adapters.mongo.oauth_grants import MongoOAuthGrants
from auth_service.adapters.mongo.oauth_requests import MongoAuthorizationRequests
from auth_service.application.ports import Perishables


@dataclass(frozen=True, slots=True)
class MongoOAuthStores:
    """The stores of OAuth, on the database of identity."""

    clients: MongoOAuthClients
    grants: MongoOAuthGrants
    requests: MongoAuthorizationRequests
    browsers: MongoBrowsers
    consents: MongoConsents
    devices: MongoDeviceGrants

    @property
    def perishables(self) -> Sequence[Perishables]:
        """All of which something ends with time."""
        return (self.clients, self.grants, self.requests, self.browsers, self.devices)


def oauth_stores(ledger: MongoLedger) -> MongoOAuthStores:
    """The stores that write through *ledger*."""
    return MongoOAuthStores(
        clients=MongoOAuthClients(ledger),
        grants=MongoOAuthGrants(ledger),
        requests=MongoAuthorizationRequests(ledger),
        browsers=MongoBrowsers(ledger),
        consents=MongoConsents(ledger),
        devices=MongoDeviceGrants(ledger),
    )
