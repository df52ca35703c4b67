"""The client's address: the peer's, unless the peer is a proxy that we trust; and who may call."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


def within(text: str, networks: Sequence[Network]) -> bool:
    """Whether *text* is an address in one of *networks*."""
    address = parse(text)
    return address is not None and any(address in network for network in networks)


@dataclass(frozen=True, slots=True)
class AddressRules:
    """Who may call the gateway at all: nobody in *deny*, and, unless it is empty, only *allow*."""

    allow: Sequence[Network] = ()
    deny: Sequence[Network] = ()

    def admit(self, address: str) -> bool:
        """Whether requests from *address* are let in. What is no address is in no network."""
        if self.deny and within(address, self.deny):
            return False
        return not self.allow or within(address, self.allow)


def client_address(peer: str, forwarded: Sequence[str], proxies: Sequence[Network]) -> str:
    """Who really asks.

    Every trusted proxy appends the peer it saw to ``X-Forwarded-For``, so it is read from its end
    until an address that is not a trusted proxy. What stands before that, the client wrote itself.

    Args:
        peer: the other end of the connection.
        forwarded: the ``X-Forwarded-For`` header fields, in order.
        proxies: whom to believe.
    """
    if not proxies or not within(peer, proxies):
        return peer
    client = peer
    hops = [hop.strip() for field in forwarded for hop in field.split(",")]
    for hop in reversed(hops):
        address = parse(hop)
        if address is None:
            break
        client = str(address)
        if not within(client, proxies):
            break
    return client


def parse(text: str) -> Address | None:
    """An address, IPv4 in IPv6 unwrapped; None when *text* is none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def limit_key(address: str) -> str:
    """What is limited together: an IPv4 address, or the /64 that one IPv6 customer gets."""
    parsed = parse(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, 64), strict=False).network_address)
    return address
