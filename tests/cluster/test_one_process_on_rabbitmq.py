"""`autoworker up` with a broker: the same suite, whose events outlive it in queues."""

from pathlib import Path

from tests.support.broker import Broker
from tests.support.gateway_client import signed_up, told_about
from tests.support.suite import started

GREET = """
document: {dsl: 1.0.3, namespace: tests, name: greet, version: 1.0.0}
do:
  - greet: {set: {greeting: Hello}}
"""
QUEUES = (
    "notification",
    "notification-endings",
    "workflow-intake",
    "workflow-intake-identity",
)


async def test_the_suite_in_one_process_runs_on_a_broker_too(tmp_path: Path) -> None:
    place = Broker()
    try:
        settings = {"AUTOWORKER_BUS_URL": place.url, "AUTOWORKER_BUS_PREFIX": place.prefix}
        with started(tmp_path, **settings) as suite:
            async with signed_up(suite.url) as ada:
                definition = await ada.publish(GREET)
                execution = await ada.start(definition.reference)
                assert (await told_about(ada, execution.id)).title
            assert suite.stop() == 0
            assert '"level": "error"' not in suite.logged
    finally:
        await place.delete(QUEUES)
