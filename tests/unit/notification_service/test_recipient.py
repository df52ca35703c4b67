"""Who can be written to."""

import pytest

from notification_service.domain.errors import EventMalformed
from notification_service.domain.recipient import contact
from tests.unit.notification_service.builders import ALICE, NOON


@pytest.mark.parametrize(
    "address", ["alice@example.org", "o'hara+tag@sub.example.org", "zoë@exämple.org", "a,b@x.org"]
)
def test_an_address_is_kept_as_it_is(address: str) -> None:
    assert contact(ALICE, address, "Alice", NOON).email == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "alice",
        "@example.org",
        "alice@",
        "alice@example.org\r\nBcc: all@example.org",
        "alice@example.org\nRCPT TO:<bob@example.org>",
        "alice@example.org> SIZE=1",
        "a lice@example.org",
        "alice\u2028@example.org",
        "alice\x00@example.org",
        "a" * 250 + "@example.org",
    ],
)
def test_what_could_end_a_header_or_a_command_is_no_address(address: str) -> None:
    with pytest.raises(EventMalformed):
        contact(ALICE, address, "Alice", NOON)


def test_a_name_is_brought_into_one_line() -> None:
    assert contact(ALICE, "a@b.c", " Al\r\nice\t\u2029B. ", NOON).name == "Al ice B."
