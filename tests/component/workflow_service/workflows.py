"""Definitions that the tests run."""


def _workflow(name: str, body: str) -> str:
    document = f"{{dsl: 1.0.3, namespace: test, name: {name}, version: 1.0.0}}"
    return f"document: {document}\ndo:\n{body}"


GREET = _workflow("greet", "  - greet: {set: {greeting: '${ \"Hello \" + .name }'}}\n")

CALL = _workflow(
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

PAUSE = _workflow("pause", "  - pause: {wait: {hours: 1}}\n  - after: {set: {over: true}}\n")

NAP = _workflow("nap", "  - nap: {wait: {milliseconds: 50}}\n  - after: {set: {over: true}}\n")

FAIL = _workflow(
    "fail",
    """\
  - fail:
      raise:
        error: {type: https://x.test/errors/broken, status: 500, title: Broken, detail: 'No, ${ .who }'}
""",
)

EMIT = _workflow(
    "emit",
    """\
  - tell:
      emit:
        event:
          with: {source: https://shop.test/orders, type: com.shop.sold, data: {order: '${ .order }'}}
""",
)

EVERY = (GREET, CALL, PAUSE, NAP, FAIL, EMIT)
