"""Who the holder of an API key is: exchanged at the auth service, and kept for use inside."""

import re
from ipaddress import ip_network
from typing import Final

from chassis.errors import Unauthenticated
from chassis.rpc.client import RpcClient
from gateway.adapters.exchanges import TIMEOUT, Exchange, Exchanges, digest_of
from gateway.ports import Caller, KeyTerms, Service
from protos.auth.v1 import api_keys_pb2 as pb
from protos.auth.v1.api_keys_pb2_grpc import ApiKeyServiceStub

_SHAPE: Final = re.compile(r"sk_(?:live|test)_[0-9A-Za-z]{60}")


class ExchangingKeyGatekeeper:
    """Implements the port `KeyGatekeeper`.

    Args:
        client: an entered client of the auth service.
        exchanges: keeps internal tokens.
    """

    def __init__(self, client: RpcClient, exchanges: Exchanges) -> None:
        self._client = client
        self._stub = ApiKeyServiceStub(client.channel)
        self._exchanges = exchanges

    def has_seen(self, api_key: str) -> bool:
        """See `KeyGatekeeper.has_seen`."""
        return self._exchanges.knows(digest_of(api_key))

    async def admit(self, api_key: str, service: Service, address: str) -> Caller:
        """See `KeyGatekeeper.admit`."""
        if _SHAPE.fullmatch(api_key) is None:
            raise Unauthenticated("The API key is not valid")

        async def ask(fresh: bool) -> Exchange:
            request = pb.ExchangeApiKeyRequest(
                key=api_key, audience=f"svc:{service}", fresh=fresh, address=address
            )
            response = await self._client.call(self._stub.ExchangeApiKey, request, timeout=TIMEOUT)
            terms = KeyTerms(
                rate_limit=response.rate_limit or None,
                allowed_ips=tuple(ip_network(each) for each in response.allowed_ips),
            )
            return Exchange(response.internal_token, response.expires_in, terms)

        return await self._exchanges.caller(digest_of(api_key), service, ask)
