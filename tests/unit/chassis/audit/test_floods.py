from chassis.audit import AuditEntry
from chassis.audit.floods import Floods


def refused(number: int, address: str = "192.0.2.1", action: str = "request_refused") -> AuditEntry:
    return AuditEntry(
        id=f"id-{number}", at=number, tenant="default", source="gateway", action=action,
        outcome="refused", address=address,
    )  # fmt: skip


def test_the_first_ones_are_told_and_the_rest_is_counted() -> None:
    floods = Floods(window=60, each=3)

    told = [floods.admits(refused(number), now=1.0) for number in range(1000)]

    assert told == [True] * 3 + [False] * 997
    assert floods.ended(now=60.9) == ()
    (summary,) = floods.ended(now=61.0)
    assert summary.data == {"repeated": 997}
    assert (summary.address, summary.at, summary.outcome) == ("192.0.2.1", 999, "refused")


def test_one_address_does_not_hide_another() -> None:
    floods = Floods(each=3)
    for number in range(100):
        floods.admits(refused(number), now=1.0)

    assert floods.admits(refused(101, address="192.0.2.2"), now=1.0)


def test_every_window_begins_anew() -> None:
    floods = Floods(window=60, each=1)
    assert floods.admits(refused(1), now=1.0)
    assert not floods.admits(refused(2), now=2.0)

    assert len(floods.ended(now=61.0)) == 1
    assert floods.seconds_left(now=61.0) is None
    assert floods.admits(refused(3), now=62.0)


def test_a_flood_from_a_million_addresses_stays_small() -> None:
    floods = Floods(each=10, all=200, kinds=100)

    told = sum(
        floods.admits(refused(n, address=f"2001:db8::{n:x}"), now=1.0) for n in range(10_000)
    )
    summaries = floods.close()

    assert told <= 200
    assert len(summaries) <= 101
    counted = sum(int(summary.data["repeated"]) for summary in summaries)
    assert told + counted == 10_000
    assert any(summary.address == "" for summary in summaries)
