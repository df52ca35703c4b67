"""Text messages leave by the operator's webhook or by Apprise, and nothing goes anywhere else."""

import socket

import pytest

from auth_service.adapters.messengers import (
    AppriseMessenger,
    NoMessenger,
    WebhookMessenger,
    messenger,
)
from auth_service.domain.mfa.errors import SmsNotConfigured
from chassis.errors import Unavailable
from tests.support.factors import texts
from tests.support.ports import free_port

PHONE = "+41441234567"


async def test_a_webhook_gets_number_text_and_token() -> None:
    with texts() as provider:
        await WebhookMessenger(provider.url, "secret").send(PHONE, "Your code is 123456")

    assert provider.sent == [(PHONE, "Your code is 123456")]
    assert provider.tokens == {"Bearer secret"}


@pytest.mark.parametrize("status", [302, 400, 500])
async def test_whatever_is_no_success_is_a_failure_and_redirects_are_not_followed(
    status: int,
) -> None:
    with texts(status) as provider:
        with pytest.raises(Unavailable):
            await WebhookMessenger(provider.url, "secret").send(PHONE, "123456")

        assert len(provider.sent) == 1


async def test_nobody_there_is_a_failure() -> None:
    with pytest.raises(Unavailable):
        await WebhookMessenger(f"http://127.0.0.1:{free_port()}/").send(PHONE, "123456")


async def test_a_provider_that_never_answers_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        with pytest.raises(Unavailable):
            await WebhookMessenger(url, timeout=0.05).send(PHONE, "123456")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_apprise_hands_over_to_the_number() -> None:
    with texts() as provider:
        address = provider.url.removeprefix("http://").partition("/")[0]
        url = f"json://{address}/?:to={{phone}}&:text=none"
        await AppriseMessenger(url).send(PHONE, "123456")

    assert provider.sent == [(PHONE, "none")]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_apprise_tells_when_it_could_not() -> None:
    with texts(500) as provider:
        address = provider.url.removeprefix("http://").partition("/")[0]
        with pytest.raises(Unavailable):
            await AppriseMessenger(f"json://{address}/?:to={{phone}}&:text=x").send(PHONE, "1")


async def test_without_a_way_nothing_is_sent() -> None:
    assert isinstance(messenger(None, None, None), NoMessenger)
    assert isinstance(messenger("https://sms.example", None, None), WebhookMessenger)
    assert isinstance(messenger(None, None, "twilio://{phone}"), AppriseMessenger)
    with pytest.raises(SmsNotConfigured):
        await NoMessenger().send(PHONE, "123456")
