"""Channels that lead to judged addresses only."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path

import grpc

from workflow_service.adapters.authentication import ClientCertificate
from workflow_service.adapters.egress import Door


@asynccontextmanager
async def channel_to(
    door: Door,
    *,
    tls: bool,
    roots: bytes | None,
    longest_message: int,
    shown: ClientCertificate | None = None,
) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to the addresses behind *door*; certificates are checked against its host.

    Args:
        door: where to.
        tls: whether TLS is spoken.
        roots: whom to trust, in PEM; None: whom gRPC trusts by itself.
        longest_message: bytes that one answer may have.
        shown: the certificate of the client, whose authorities are trusted in place of *roots*; None: it has none.
    """
    options = [
        ("grpc.default_authority", door.authority),
        ("grpc.ssl_target_name_override", door.host),
        ("grpc.enable_http_proxy", 0),
        ("grpc.enable_retries", 0),
        # Else gRPC could share connections between channels, and so between certificates.
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.service_config_disable_resolution", 1),
        ("grpc.max_receive_message_length", longest_message),
        ("grpc.primary_user_agent", "Autoworker"),
    ]
    if tls:
        opened = grpc.aio.secure_channel(_target(door), _trust(roots, shown), options=options)
    else:
        opened = grpc.aio.insecure_channel(_target(door), options=options)
    async with opened as channel:
        yield channel


def _trust(roots: bytes | None, shown: ClientCertificate | None) -> grpc.ChannelCredentials:
    if shown is None:
        return grpc.ssl_channel_credentials(root_certificates=roots)
    return grpc.ssl_channel_credentials(shown.authority or roots, shown.key, shown.chain)


def system_roots() -> bytes | None:
    """Whom this machine trusts, in PEM; None when it has no such file."""
    path = ssl.get_default_verify_paths().cafile
    return Path(path).read_bytes() if path else None


def _target(door: Door) -> str:
    """Addresses of one family, which is what a target can hold; IPv4 when there is a choice."""
    fours = [each for each in door.addresses if ip_address(each).version == 4]
    if fours:
        return "ipv4:" + ",".join(f"{each}:{door.port}" for each in fours)
    return "ipv6:" + ",".join(f"[{each}]:{door.port}" for each in door.addresses)
