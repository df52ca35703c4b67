"""Where aiohttp's errors end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from workflow_service.adapters.egress.alerts import blames_certificate
from workflow_service.adapters.egress.connecting import ConnectRefused
from workflow_service.adapters.egress.errors import EgressFailed, EgressRefused, Failure


@asynccontextmanager
async def driver_errors() -> AsyncIterator[None]:
    """Aiohttp's errors stop here."""
    try:
        yield
    except (aiohttp.ClientConnectorDNSError, aiohttp.ClientSSLError) as exc:
        dns = isinstance(exc, aiohttp.ClientConnectorDNSError)
        raise EgressFailed(Failure.DNS if dns else _lost(exc, Failure.TLS)) from exc
    except aiohttp.ServerTimeoutError:
        raise
    except aiohttp.ClientConnectorError as exc:
        if isinstance(exc.os_error, ConnectRefused):
            raise EgressRefused from exc
        raise EgressFailed(Failure.CONNECT) from exc
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionError) as exc:
        raise EgressFailed(_lost(exc, Failure.RESET)) from exc
    except aiohttp.ClientPayloadError as exc:
        raise EgressFailed(Failure.RESET) from exc
    except (aiohttp.ClientError, ValueError) as exc:
        raise EgressFailed(Failure.PROTOCOL) from exc


def _lost(error: BaseException, failure: Failure) -> Failure:
    return Failure.CERTIFICATE if blames_certificate(error) else failure
