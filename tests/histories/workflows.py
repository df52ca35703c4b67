"""What is run to be recorded: together, every kind of fact that a history can hold."""

from typing import Final

EVERY: Final = """
document: {dsl: 1.0.3, namespace: histories, name: every-task, version: 1.0.0}
input: {from: "${ . + {seen: []} }"}
timeout: {after: {minutes: 5}}
do:
  - remember:
      set: "${ . + {price: 7} }"
      export: {as: "${ {price: .price} }"}
  - never:
      if: "${ .price > 100 }"
      set: {never: true}
  - each:
      for: {each: item, in: "${ .items }", at: place}
      while: "${ $place < 5 }"
      do:
        - double: {set: "${ . + {last: ($item * 2)} }"}
        - nap: {wait: {milliseconds: 10}}
  - choose:
      switch:
        - dear: {when: "${ $context.price > 50 }", then: end}
        - cheap: {then: insist}
  - jumped: {set: {jumped: false}}
  - insist:
      try:
        - ask:
            call: http
            with: {method: get, endpoint: {uri: "${ .shop + \\"/moody\\" }"}}
            output: {as: "${ $input }"}
      catch:
        errors: {with: {status: 503}}
        retry: {delay: {milliseconds: 10}, limit: {attempt: {count: 5, duration: {seconds: 20}}}}
  - handled:
      try:
        - refuse:
            raise: {error: {type: "https://example.com/refused", status: 409, title: Refused}}
      catch:
        as: problem
        do:
          - note: {set: "${ {shop: $workflow.input.shop, was: $problem.status} }"}
  - race:
      fork:
        compete: true
        branches:
          - quick: {wait: {milliseconds: 20}}
          - slow: {wait: {hours: 1}}
  - both:
      fork:
        branches:
          - left: {set: {left: 1}}
          - right: {do: [{inner: {set: {right: 2}}}]}
  - tell:
      emit:
        event: {with: {source: "https://example.com", type: com.example.told.v1, data: {both: "${ . }"}}}
  - limited:
      try:
        - long: {wait: {hours: 1}, timeout: {after: {milliseconds: 30}}}
      catch: {}
output: {as: "${ {done: .} }"}
"""
CANCELLED: Final = """
document: {dsl: 1.0.3, namespace: histories, name: cancelled, version: 1.0.0}
do:
  - both:
      fork:
        branches:
          - one: {wait: {hours: 1}}
          - two: {do: [{inside: {wait: {hours: 2}}}]}
"""
REFUSE: Final = """
document: {dsl: 1.0.3, namespace: histories, name: refuse, version: 1.0.0}
do:
  - before: {set: "${ . + {before: true} }"}
  - check:
      if: "${ .ok | not }"
      raise: {error: {type: "https://example.com/refused", status: 409, title: Refused}}
"""
CALL: Final = """
document: {dsl: 1.0.3, namespace: histories, name: call, version: 1.0.0}
do:
  - ask:
      call: http
      with: {method: get, endpoint: {uri: "${ .shop + \\"/late\\" }"}}
  - keep: {set: {answer: "${ . }"}}
"""
