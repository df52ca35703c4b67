"""All stores of OAuth."""

from collections.abc import Sequence
from dataclasses import dataclass

from auth_service.adapters.sqlite.ledger import Ledger
from auth_service.adapters.sqlite.oauth_browsers import SqliteBrowsers, SqliteConsents
from auth_service.adapters.sqlite.oauth_clients import SqliteOAuthClients
from auth_service.adapters.sqlite.oauth_devices import SqliteDeviceGrants
from auth_service.adapters.sqlite.oauth_grants import SqliteOAuthGrants
from auth_service.adapters.sqlite.oauth_requests import SqliteAuthorizationRequests
from auth_service.application.ports import Perishables


@dataclass(frozen=True, slots=True)
class SqliteOAuthStores:
    """The stores of OAuth, on the database of identity."""

    clients: SqliteOAuthClients
    grants: SqliteOAuthGrants
    requests: SqliteAuthorizationRequests
    browsers: SqliteBrowsers
    consents: SqliteConsents
    devices: SqliteDeviceGrants

    @property
    def perishables(self) -> Sequence[Perishables]:
        """All of which something ends with time."""
        return (self.clients, self.grants, self.requests, self.browsers, self.devices)


def oauth_stores(ledger: Ledger) -> SqliteOAuthStores:
    """The stores that write through *ledger*."""
    return SqliteOAuthStores(
        clients=SqliteOAuthClients(ledger),
        grants=SqliteOAuthGrants(ledger),
        requests=SqliteAuthorizationRequests(ledger.database),
        browsers=SqliteBrowsers(ledger),
        consents=SqliteConsents(ledger),
        devices=SqliteDeviceGrants(ledger),
    )
