"""A gRPC service that is made from its proto at run time, as those that call it do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.protobuf import message_factory

from workflow_service.adapters.task_runners.grpc_calls.protos import Schema

SHOP = """
syntax = "proto3";
package shop.v1;
import "google/protobuf/timestamp.proto";
import 'common/money.proto';

// import "not/there.proto";
message Order {
  int64 number = 1;
  string customer_name = 2;
  common.Money price = 3;
  google.protobuf.Timestamp placed_at = 4;
  optional int32 discount = 5;
  bool paid = 6;
  bytes stamp = 7;
  enum State { UNKNOWN = 0; OPEN = 1; }
  State state = 8;
}
service Shop {
  rpc Place(Order) returns (Order);
  rpc Watch(Order) returns (stream Order);
  rpc Send(stream Order) returns (Order);
}
"""
MONEY = (
    'syntax = "proto3"; package common; message Money { string currency = 1; double amount = 2; }'
)


@dataclass
class Shop:
    """What it was asked, and how it answers."""

    port: int = 0
    metadata: list[dict[str, str]] = field(default_factory=list)
    orders: list[Any] = field(default_factory=list)
    remaining: list[float] = field(default_factory=list)
    refusal: tuple[grpc.StatusCode, str] | None = None
    copies: int = 3
    pause: float = 0.0

    async def place(self, order: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        """Answer with the order, open now."""
        await self._begin(order, context)
        order.state = 1
        return order

    async def watch(
        self, order: Any, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[Any]:
        """Answer with the order again and again, numbered."""
        await self._begin(order, context)
        for number in range(self.copies):
            order.number = number
            yield order

    async def _begin(self, order: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        self.orders.append(order)
        self.metadata.append({k: str(v) for k, v in context.invocation_metadata() or ()})
        self.remaining.append(context.time_remaining())
        await asyncio.sleep(self.pause)
        if self.refusal is not None:
            await context.abort(*self.refusal)


@asynccontextmanager
async def open_shop(
    schema: Schema,
    shop: Shop,
    identity: tuple[bytes, bytes] | None = None,
    guests: bytes | None = None,
) -> AsyncIterator[Shop]:
    """Serve *shop* on a free port of 127.0.0.1, over TLS with an *identity*, to *guests* only if they are given (PEM)."""
    kind = message_factory.GetMessageClass(schema.pool.FindMessageTypeByName("shop.v1.Order"))
    read: Callable[[bytes], Any] = kind.FromString
    write: Callable[[Any], bytes] = kind.SerializeToString
    handlers = {
        "Place": grpc.unary_unary_rpc_method_handler(shop.place, read, write),
        "Watch": grpc.unary_stream_rpc_method_handler(shop.watch, read, write),
    }
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("shop.v1.Shop", handlers)]
    )
    if identity is None:
        shop.port = server.add_insecure_port("127.0.0.1:0")
    else:
        secret = grpc.ssl_server_credentials([identity], guests, guests is not None)
        shop.port = server.add_secure_port("127.0.0.1:0", secret)
    await server.start()
    try:
        yield shop
    finally:
        await server.stop(None)


def self_signed(host: str) -> tuple[bytes, bytes]:
    """A key and a certificate for *host*, in PEM, that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return secret, certificate.public_bytes(serialization.Encoding.PEM)
