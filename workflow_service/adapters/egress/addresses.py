"""Which addresses may be called: global unicast, and what the operator admits besides.

Ranges are from the IANA special-purpose address registries (RFC 6890 and its updates). IPv6 is
admitted by its one global unicast block, 2000::/3, so that every form that embeds an IPv4 address
outside of it (::/96, 64:ff9b::/96, 64:ff9b:1::/48) is refused without being named; Teredo (RFC 4380),
6to4 (RFC 3056) and ISATAP (RFC 5214) lie inside and are named. IPv4-mapped addresses are
judged as the IPv4 address that they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_NOT_GLOBAL_V4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")
_NOT_GLOBAL_V6 = tuple(
    IPv6Network(block) for block in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
_LOOPBACK = IPv4Address("127.0.0.1")
_ISATAP = (0x00005EFE, 0x02005EFE)

# Ports of protocols that can be talked into something by an HTTP request: the "bad ports" of
# the WHATWG Fetch standard.
_BAD_PORTS = frozenset((
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101,
    102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427,
    465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990,
    993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667,
    6668, 6669, 6679, 6697, 10080,
))  # fmt: skip


def plain(address: Address) -> Address:
    """*address*, or the IPv4 address that it is mapped from."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def is_global_unicast(address: Address) -> bool:
    """Whether *address* can only be a host on the public Internet."""
    match plain(address):
        case IPv4Address() as v4:
            return not any(v4 in block for block in _NOT_GLOBAL_V4)
        case IPv6Address() as v6:
            if v6.scope_id is not None or v6 not in _GLOBAL_V6:
                return False
            if (int(v6) >> 32) & 0xFFFFFFFF in _ISATAP:
                return False
            return not any(v6 in block for block in _NOT_GLOBAL_V6)


@dataclass(frozen=True, slots=True)
class Admission:
    """One entry of the operator's list: a network or a host name, at one port or at all."""

    network: Network | None
    host: str | None
    port: int | None


class EntryInvalid(ValueError):
    """An entry of the allow list that cannot be read."""


def admission(entry: str) -> Admission:
    """Read `10.1.0.0/16`, `10.1.2.3`, `10.1.2.3:8080`, `[fd00::1]:80`, `name` or `name:8080`.

    Raises:
        EntryInvalid: it is none of these.
    """
    text = entry.strip().lower()
    try:
        return Admission(ip_network(text.strip("[]"), strict=False), None, None)
    except ValueError:
        host, port = split_port(text)
    if not host or "/" in host or any(char.isspace() for char in host):
        raise EntryInvalid(f"{entry!r} is neither a network nor a host with an optional port")
    address = parse_address(host)
    if address is None:
        return Admission(None, host, port)
    return Admission(ip_network(address), None, port)


def split_port(text: str) -> tuple[str, int | None]:
    """Separate `host:port`; IPv6 addresses with a port stand in brackets."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or (host.count(":") and not host.endswith("]")):
        return text.strip("[]"), None
    return host.strip("[]"), int(port)


@lru_cache(4_096)
def parse_address(host: str) -> Address | None:
    """The address that *host* is the text of, or None for a name."""
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


class AddressPolicy:
    """Judges one address and port at a time; the last word on every connection.

    Global unicast addresses are fine, others need an entry in *allow*. The suite's own services
    (*own_addresses*, `host:port`, asked each time because ports may be ephemeral) never are.
    """

    def __init__(self, allow: Sequence[str], own_addresses: Callable[[], Sequence[str]]) -> None:
        self._allow = tuple(admission(entry) for entry in allow)
        self._own_addresses = own_addresses

    def permits(self, host: str, address: Address, port: int) -> bool:
        """Whether *address*, which *host* stands for, may be connected to at *port*."""
        target = plain(address)
        if self._is_ours(host, target, port):
            return False
        if any(_admits(entry, host, target, port) for entry in self._allow):
            return True
        return port not in _BAD_PORTS and is_global_unicast(target)

    def _is_ours(self, host: str, address: Address, port: int) -> bool:
        for text in self._own_addresses():
            own_host, own_port = split_port(text.lower())
            if own_port != port:
                continue
            own = _LOOPBACK if own_host == "localhost" else parse_address(own_host)
            if own_host == host.rstrip(".") or (own and _same_place(plain(own), address)):
                return True
        return False


def _same_place(own: Address, address: Address) -> bool:
    """Whether what listens on *own* can be reached at *address*, as far as one can tell."""
    if own == address:
        return True
    if own.is_unspecified:  # listens everywhere: every address of this machine is its own
        return not is_global_unicast(address)
    if address.is_unspecified:  # "this host": reaches loopback listeners
        return own.is_loopback
    return own.is_loopback and address.is_loopback


def _admits(entry: Admission, host: str, address: Address, port: int) -> bool:
    if entry.port is not None and entry.port != port:
        return False
    if entry.host is not None:
        return entry.host == host.rstrip(".")
    network = entry.network
    return network is not None and network.version == address.version and address in network
