"""Definitions that the tests run."""


def workflow(name: str, body: str) -> str:
    """A document of the namespace ``test`` with the tasks in *body*."""
    document = f"{{dsl: 1.0.3, namespace: test, name: {name}, version: 1.0.0}}"
    return f"document: {document}\ndo:\n{body}"


GREET = workflow("greet", "  - greet: {set: {greeting: '${ \"Hello \" + .name }'}}\n")

CALL = workflow(
    "call",
    """\
  - ask:
      call: http
      with:
        method: post
        endpoint:
          uri: https://shop.test/orders
          authentication: {bearer: {token: sesame}}
        body: ${ . }
""",
)

PAUSE = workflow("pause", "  - pause: {wait: {hours: 1}}\n  - after: {set: {over: true}}\n")

NAP = workflow("nap", "  - nap: {wait: {milliseconds: 50}}\n  - after: {set: {over: true}}\n")

FAIL = workflow(
    "fail",
    """\
  - fail:
      raise:
        error: {type: https://x.test/errors/broken, status: 500, title: Broken, detail: 'No, ${ .who }'}
""",
)

EMIT = workflow(
    "emit",
    """\
  - tell:
      emit:
        event:
          with: {source: https://shop.test/orders, type: com.shop.sold, data: {order: '${ .order }'}}
""",
)

EVERY = (GREET, CALL, PAUSE, NAP, FAIL, EMIT)
