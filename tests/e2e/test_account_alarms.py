"""What happens to accounts reaches workflows that listen for it."""

import pytest

from tests.support.account_client import visitor
from tests.support.gateway_client import PASSWORD, in_phase, signed_up
from tests.support.suite import Suite

ALARM = """
document: {dsl: 1.0.3, namespace: tests, name: alarm, version: 1.0.0}
do:
- hear: {listen: {to: {one: {with: {type: io.autoworker.auth.login-suspicious.v1}}}}}
"""
PHONE = "Mozilla/5.0 (Android 15; Mobile) Firefox/140.0"


@pytest.fixture
def suite(mailing_suite: Suite) -> Suite:
    return mailing_suite


async def test_a_workflow_hears_of_an_unusual_login(suite: Suite) -> None:
    async with signed_up(suite.url) as ada, visitor(suite.url, User_Agent=PHONE) as phone:
        definition = await ada.publish(ALARM)
        begun = await ada.start(definition.reference, {})
        await in_phase(ada, begun.id, "waiting")

        assert (await phone.login(ada.email, PASSWORD))[0] == 200

        ended = await ada.wait(begun.id)
        assert ended.status == "completed", ended.error
        assert isinstance(ended.output, list)
        [heard] = ended.output
        assert isinstance(heard, dict)
        assert heard["facts"] == {"device": "Firefox on Android", "reasons": "a new device"}
        assert ada.email not in str(heard)
