"""What AsyncAPI documents say about an operation."""

from __future__ import annotations

from typing import Any

import pytest

from workflow_service.adapters.task_runners.asyncapi.documents import Destination, destination
from workflow_service.adapters.task_runners.asyncapi.references import AsyncApiInvalid
from workflow_service.domain.definition.documents import parse_document
from workflow_service.domain.execution.credentials import Resource
from workflow_service.domain.execution.effects import AsyncApiTarget

CLASSIC = """
asyncapi: 2.6.0
defaultContentType: application/cloudevents+json
servers:
  events: {url: 'kafka.test:9092', protocol: kafka}
  production:
    url: '{stage}.broker.test:{port}/vhost'
    protocol: amqps
    variables:
      stage: {default: live, enum: [live, test]}
      port: {default: '5671'}
  site: {url: 'https://site.test/api', protocol: https}
channels:
  user/signedup:
    servers: [production]
    bindings: {amqp: {is: queue}}
    publish:
      operationId: tellSignup
      message: {$ref: '#/components/messages/signup'}
      bindings: {amqp: {mandatory: false}}
  rooms/{room}:
    parameters: {room: {schema: {type: string, default: lobby}}}
    subscribe: {operationId: hearRoom}
  lost/{where}: {publish: {}}
components: {messages: {signup: {contentType: application/avro}}}
"""
MODERN = """
asyncapi: 3.0.0
servers:
  prod: {host: 'api.test:8443', pathname: '/v1/{tenant}', protocol: wss, variables: {tenant: {default: acme}}}
  queue: {host: broker.test, protocol: amqp}
channels:
  chat: {address: 'rooms/{room}/chat', servers: [{$ref: '#/servers/queue'}, {$ref: '#/servers/prod'}],
         parameters: {room: {default: lobby}}, bindings: {$ref: '#/components/channelBindings/chat'}}
  plain: {}
operations:
  say: {action: send, channel: {$ref: '#/channels/chat'}, messages: [{$ref: '#/components/messages/text'}]}
  round: {action: send, channel: {$ref: '#/components/a'}}
  outside: {action: send, channel: {$ref: 'https://elsewhere.test/x'}}
  nothing: {action: send, channel: {$ref: '#/channels/none'}}
components:
  messages: {text: {contentType: text/plain}}
  channelBindings: {chat: {amqp: {is: routingKey, exchange: {name: talk}}}}
  a: {$ref: '#/components/b'}
  b: {$ref: '#/components/a'}
"""


def found(document: str, verb: Any = "publish", **target: Any) -> Destination:
    root = parse_document(document.encode(), "application/yaml")
    return destination(root, AsyncApiTarget(Resource("https://docs.test/x"), **target), verb)


def test_a_classic_channel_leads_to_its_server() -> None:
    place = found(CLASSIC, channel="user/signedup", variables={"stage": "test"})

    assert (place.protocol, place.url) == ("amqp", "amqps://test.broker.test:5671/vhost")
    assert (place.address, place.content_type) == ("user/signedup", "application/avro")
    assert (place.channel, place.operation) == ({"is": "queue"}, {"mandatory": False})
    assert found(CLASSIC, operation="tellSignup").url.startswith("amqps://live.")


def test_a_classic_channel_without_servers_has_them_all_and_parameters_have_defaults() -> None:
    place = found(CLASSIC, "subscribe", channel="rooms/{room}", protocol="http")

    assert (place.url, place.address) == ("https://site.test/api", "rooms/lobby")
    assert place.content_type == "application/cloudevents+json"


def test_a_modern_operation_leads_to_its_channel_and_the_first_server() -> None:
    place = found(MODERN, operation="say")

    assert (place.protocol, place.url) == ("amqp", "amqp://broker.test")
    assert (place.address, place.content_type) == ("rooms/lobby/chat", "text/plain")
    assert place.channel == {"is": "routingKey", "exchange": {"name": "talk"}}


def test_a_modern_operation_may_be_performed_on_another_server() -> None:
    assert found(MODERN, operation="say", protocol="ws").url == "wss://api.test:8443/v1/acme"
    named = found(MODERN, channel="plain", server="prod", variables={"tenant": "x"})
    assert (named.url, named.address) == ("wss://api.test:8443/v1/x", "plain")


@pytest.mark.parametrize(
    ("document", "target", "told"),
    [
        (CLASSIC, {"channel": "rooms/{room}"}, "has no publish operation"),
        (CLASSIC, {"channel": "nowhere"}, "has no channel 'nowhere'"),
        (CLASSIC, {"operation": "nothing"}, "has no operation 'nothing'"),
        (CLASSIC, {"channel": "lost/{where}"}, "the protocol 'kafka' of the server is not spoken here"),
        (CLASSIC, {"channel": "lost/{where}", "server": "site"}, "the parameter 'where' has no value"),
        (CLASSIC, {"channel": "user/signedup", "protocol": "http"}, "no server that speaks http"),
        (CLASSIC, {"channel": "user/signedup", "server": "x"}, "it has events, production, site"),
        (CLASSIC, {"channel": "user/signedup", "variables": {"stage": "evil"}}, "may not have that value"),
        (MODERN, {"operation": "round"}, "in a circle"),
        (MODERN, {"operation": "outside"}, "refers to another document"),
        (MODERN, {"operation": "nothing"}, "refers to nothing"),
        (MODERN, {"operation": "none"}, "has no operation 'none'"),
        (MODERN, {"channel": "none"}, "has no channel 'none'"),
        ("asyncapi: 1.2.0", {"channel": "x"}, "not AsyncAPI 2 or 3"),
        ("[1]", {"channel": "x"}, "not an object"),
    ],
)  # fmt: skip
def test_what_leads_nowhere_says_why(document: str, target: dict[str, Any], told: str) -> None:
    with pytest.raises(AsyncApiInvalid) as caught:
        found(document, **target)

    assert told in str(caught.value)
