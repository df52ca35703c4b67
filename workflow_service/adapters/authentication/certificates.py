"""Client certificates: read, checked, and made into what a TLS connection begins with.

Source: RFC 8446, 4.4.2; RFC 7468 (PEM).
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import ssl
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeAlias

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from workflow_service.adapters.authentication.problems import bad_certificate
from workflow_service.application.credential_ports import CredentialsRefused
from workflow_service.domain.execution.credentials import CertificateCredentials
from workflow_service.domain.execution.problem import runtime

_KEPT: Final = 256

Key: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate and the key that belongs to it, both checked."""

    chain: bytes
    """PEM; the client's own certificate is the first."""
    private: PrivateKeyTypes = field(repr=False)
    authority: bytes | None
    """PEM of those that are trusted; None: whom the machine trusts."""

    @property
    def key(self) -> bytes:
        """The key in PEM."""
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class Certificates:
    """Keeps a TLS context for each tenant and its credentials: connections are shared by it, and by nothing else."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, ssl.SSLContext] = OrderedDict()

    async def context(self, credentials: CertificateCredentials, tenant: str) -> ssl.SSLContext:
        """Return the context with which a client shows its certificate.

        Raises:
            CredentialsRefused: nothing can be made of the credentials.
        """
        key = (tenant, hashlib.sha256(msgspec.json.encode(credentials)).hexdigest())
        known = self._kept.get(key)
        if known is None:
            known = await asyncio.to_thread(_context, client_certificate(credentials))
            # Whoever was quicker has the context by which connections are already shared.
            known = self._kept.setdefault(key, known)
        self._kept.move_to_end(key)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return known

    def __len__(self) -> int:
        """How many contexts are kept."""
        return len(self._kept)


def client_certificate(credentials: CertificateCredentials) -> ClientCertificate:
    """Read and check what *credentials* have.

    Raises:
        CredentialsRefused: it is no PEM, or the key belongs to another certificate.
    """
    chain = _certificates(credentials.certificate, "certificate")
    authority = credentials.authority
    trusted = _certificates(authority, "authority") if authority else None
    private = _private_key(credentials.key)
    if not _belongs(private, chain[0]):
        raise bad_certificate("The key does not belong to the certificate.")
    return ClientCertificate(_pem(chain), private, None if trusted is None else _pem(trusted))


def _belongs(private: PrivateKeyTypes, certificate: x509.Certificate) -> bool:
    try:
        return private.public_key() == certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise bad_certificate("The certificate has a key of a kind that is not known.") from None


def _certificates(pem: str, member: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        raise bad_certificate(f"The member {member!r} has no certificate in PEM.") from None


def _private_key(pem: str) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(pem.encode(), None)
    except TypeError:
        told = "The key is protected by a passphrase: give it without one, in a secret."
        raise bad_certificate(told) from None
    except (ValueError, UnsupportedAlgorithm):
        raise bad_certificate("The member 'key' has no private key in PEM.") from None


def _pem(certificates: list[x509.Certificate]) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


def _context(certificate: ClientCertificate) -> ssl.SSLContext:
    authority = certificate.authority
    try:
        context = ssl.create_default_context(
            cadata=None if authority is None else authority.decode()
        )
        _load(context, certificate)
    except ssl.SSLError:
        raise bad_certificate("TLS cannot use this certificate with its key.") from None
    except OSError as exc:
        raise CredentialsRefused(runtime("There is no temporary folder to write to.")) from exc
    context.set_alpn_protocols(["http/1.1"])
    return context


def _load(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
    """The ssl module reads keys from files only: what is on the disk for a moment is encrypted."""
    password = secrets.token_bytes(32).hex()
    sealed = certificate.private.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password.encode())
    )
    with TemporaryDirectory(prefix="autoworker-") as folder:
        chain, key = Path(folder, "chain.pem"), Path(folder, "key.pem")
        chain.write_bytes(certificate.chain)
        key.write_bytes(sealed)
        context.load_cert_chain(chain, key, password)
