"""Every address that a name has in DNS is an instance."""

from collections.abc import Sequence

import pytest

from chassis.discovery.dns import FRESH, DnsRegistry
from chassis.errors import Unavailable
from tests.support.time import ManualClock


class Zone:
    """A DNS that tests write."""

    def __init__(self, *addresses: str) -> None:
        self.addresses: Sequence[str] = addresses
        self.asked = 0

    async def lookup(self, host: str, _port: int) -> Sequence[str]:
        assert host == "auth.autoworker.svc"
        self.asked += 1
        if not self.addresses:
            raise OSError("no such name")
        return self.addresses


def registry(zone: Zone, clock: ManualClock | None = None) -> DnsRegistry:
    return DnsRegistry({"auth": "auth.autoworker.svc:50051"}, clock or ManualClock(), zone.lookup)


async def test_all_addresses_of_the_name_are_instances() -> None:
    found = await registry(Zone("10.0.0.2", "10.0.0.1", "fd00::1")).resolve("auth")

    assert found == ("10.0.0.1:50051", "10.0.0.2:50051", "[fd00::1]:50051")


async def test_an_answer_counts_for_a_while() -> None:
    zone, clock = Zone("10.0.0.1"), ManualClock()
    dns = registry(zone, clock)
    await dns.resolve("auth")
    zone.addresses = ("10.0.0.2",)

    assert await dns.resolve("auth") == ("10.0.0.1:50051",)
    clock.advance(FRESH)
    assert await dns.resolve("auth") == ("10.0.0.2:50051",)
    assert zone.asked == 2


async def test_while_dns_is_away_the_last_answer_counts() -> None:
    zone, clock = Zone("10.0.0.1"), ManualClock()
    dns = registry(zone, clock)
    await dns.resolve("auth")
    zone.addresses = ()
    clock.advance(FRESH)

    assert await dns.resolve("auth") == ("10.0.0.1:50051",)


async def test_a_name_that_never_had_an_address_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="auth"):
        await registry(Zone()).resolve("auth")


async def test_a_service_that_nobody_named_is_nowhere() -> None:
    assert await registry(Zone("10.0.0.1")).resolve("workflow") == ()
