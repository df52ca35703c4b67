"""Whether a service behind the gateway answers its gRPC health check."""

from typing import Any, Final

from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.clock import Clock
from chassis.errors import ServiceError, Unavailable
from chassis.rpc.client import RpcClient

MAX_AGE: Final = 1.0
PATIENCE: Final = 1.5


class Neighbour:
    """One service; called, it raises when the service is not well.

    Anybody may ask the gateway whether it is ready, so an answer counts for a second: asking often
    does not make the services work.
    """

    def __init__(self, client: RpcClient, clock: Clock) -> None:
        self._client = client
        # Its methods are set when it is made, which the published types do not tell.
        self._check: Any = health_pb2_grpc.HealthStub(client.channel).Check  # type: ignore[attr-defined]
        self._clock = clock
        self._asked = float("-inf")
        self._problem: str | None = None

    async def __call__(self) -> None:
        """Check it.

        Raises:
            Unavailable: it does not answer, or says that it is not well.
        """
        if self._clock.monotonic() - self._asked > MAX_AGE:
            self._problem = await self._look()
            self._asked = self._clock.monotonic()
        if self._problem is not None:
            raise Unavailable(self._problem)

    async def _look(self) -> str | None:
        try:
            response = await self._client.call(
                self._check, health_pb2.HealthCheckRequest(), timeout=PATIENCE
            )
        except ServiceError:
            return "does not answer"
        serving = response.status == health_pb2.HealthCheckResponse.SERVING
        return None if serving else "is not well"
