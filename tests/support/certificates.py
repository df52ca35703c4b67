"""Authorities of certificates that live as long as a test, and servers that want certificates of them."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


@dataclass(frozen=True)
class Identity:
    """A certificate and its key, in PEM."""

    certificate: str
    key: str

    @property
    def key_lines(self) -> list[str]:
        """What nobody else may ever read."""
        return [line for line in self.key.splitlines() if line and "-----" not in line]


class CertificateAuthority:
    """Vouches for names."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named("an authority")
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        made = (
            _begun(self._name, self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.pem = made.public_bytes(Encoding.PEM).decode()

    def identity(self, name: str, *addresses: str) -> Identity:
        """Return a new key and a certificate that it belongs to *name*, at *addresses* too."""
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.DNSName(name)]
        names += [x509.IPAddress(ip_address(each)) for each in addresses]
        made = (
            _begun(_named(name), self._name, key.public_key())
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Identity(made.public_bytes(Encoding.PEM).decode(), secret.decode())


@dataclass
class Vault:
    """A server over TLS that opens for those who have a certificate of its authority."""

    port: int = 0
    guests: list[str] = field(default_factory=list)
    """Names in the certificates of those who came."""
    asked_for: list[str] = field(default_factory=list)
    """Names that they asked for (SNI)."""
    connections: set[object] = field(default_factory=set)
    documents: dict[str, str] = field(default_factory=dict)
    """YAML that it shows, by path."""

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"https://{host}:{self.port}{path}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.connections.add(request.transport)
        shown = request.get_extra_info("peercert") or {}
        names = [value for each in shown.get("subject", ()) for _, value in each]
        self.guests.append(names[0] if names else "")
        if (elsewhere := request.query.get("to")) is not None:
            return web.Response(status=307, headers={"Location": elsewhere})
        if (text := self.documents.get(request.path)) is not None:
            return web.Response(text=text, content_type="application/yaml")
        return web.json_response({"guest": self.guests[-1]})


@asynccontextmanager
async def open_vault(
    folder: Path, server: Identity, guests: CertificateAuthority
) -> AsyncIterator[Vault]:
    """Open a vault for those whom *guests* vouches for; *folder* gets the server's own key."""
    vault = Vault()
    context = _serving(folder, server, guests)

    def heard(_: ssl.SSLObject | ssl.SSLSocket, name: str | None, __: ssl.SSLContext) -> None:
        vault.asked_for.append(name or "")

    context.sni_callback = heard
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", vault.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    vault.port = runner.addresses[0][1]
    try:
        yield vault
    finally:
        await runner.cleanup()


@contextmanager
def open_gate(
    folder: Path, server: Identity, guests: CertificateAuthority
) -> Iterator[Callable[[], str]]:
    """Serve TLS the way other servers do, on a thread: who is not let in is told why, by an alert.

    The servers of asyncio close the connection without a word. Yields what makes the gate's address.
    """
    context = _serving(folder, server, guests)
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        ThreadPoolExecutor(1, thread_name_prefix="gate") as threads,
    ):
        served = threads.submit(_answer_all, listener, context)
        yield lambda: f"https://127.0.0.1:{listener.getsockname()[1]}/"
        listener.shutdown(socket.SHUT_RDWR)
        served.result(5.0)


def _answer_all(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        plain.settimeout(5.0)
        guest = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        with guest:
            try:
                guest.do_handshake()
                _ = guest.recv(65_536)
                guest.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
            except ssl.SSLError:
                _drain(guest)


def _drain(guest: ssl.SSLSocket) -> None:
    """Read what comes until the other side goes: to close on unread data would overtake the alert."""
    with socket.socket(fileno=guest.detach()) as plain:
        plain.settimeout(5.0)
        plain.shutdown(socket.SHUT_WR)
        with suppress(OSError):
            while plain.recv(65_536):
                pass


def _serving(folder: Path, server: Identity, guests: CertificateAuthority) -> ssl.SSLContext:
    chain, key = folder / "server.pem", folder / "server-key.pem"
    chain.write_text(server.certificate)
    key.write_text(server.key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=guests.pem)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(chain, key)
    return context


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )
