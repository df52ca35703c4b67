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
UNDONE: Final = """
document: {dsl: 1.0.3, namespace: histories, name: undone, version: 1.0.0}
do:
  - each:
      for: {each: item, in: "${ [1, 2] }"}
      do:
        - book:
            metadata:
              compensate: [{cancel: {set: {undone: "${ [$item, .id, $compensated.error.status] }"}}}]
            set: {id: "${ $item * 10 }"}
            output: {as: "${ {booked: .id} }"}
  - refuse: {raise: {error: {type: "https://example.com/refused", status: 409, title: Refused}}}
"""
HEARD: Final = """
document: {dsl: 1.0.3, namespace: histories, name: heard, version: 1.0.0}
do:
  - talk:
      fork:
        branches:
          - hear:
              listen:
                to:
                  any:
                    - with: {type: com.example.recorded.said.v1, data: {room: 7}}
                      correlate: {room: {from: .data.room}}
                  until: "${ length == 2 }"
              foreach:
                item: said
                do: [{note: {set: "${ {heard: $said.word, place: $index} }"}}]
                export: {as: "${ {last: .heard} }"}
          - once: {listen: {to: {one: {with: {type: com.example.recorded.said.v1}}}, read: envelope}, output: {as: "${ length }"}}
          - say:
              do:
                - pause: {wait: {milliseconds: 20}}
                - one: {emit: {event: {with: {type: com.example.recorded.said.v1, data: {room: 7, word: hello}}}}}
                - two: {emit: {event: {with: {type: com.example.recorded.said.v1, data: {room: 7, word: bye}}}}}
"""
EXTENDED: Final = """
document: {dsl: 1.0.3, namespace: histories, name: extended, version: 1.0.0}
use:
  extensions:
    - noting:
        extend: set
        before: [{think: {wait: {milliseconds: 1}}}]
        after: [{tell: {emit: {event: {with: {type: com.example.recorded.set.v1, data: "${ . }"}}}}}]
do:
  - keep: {set: {kept: true}}
"""
SUBSCRIBED: Final = """
document: {dsl: 1.0.3, namespace: histories, name: subscribed, version: 1.0.0}
do:
  - hear:
      call: asyncapi
      with:
        document: {endpoint: "${ .shop + \\"/channels\\" }"}
        operation: op
        subscription:
          filter: "${ .payload.n > 1 }"
          consume: {amount: 1}
          foreach: {item: message, do: [{keep: {set: {kept: "${ $message.payload.n }"}}}]}
"""
TICKED: Final = """
document: {dsl: 1.0.3, namespace: histories, name: ticked, version: 1.0.0}
schedule: {after: PT1H}
do:
  - keep: {set: {kept: true}}
"""
RUNNING: Final = """
document: {dsl: 1.0.3, namespace: histories, name: running, version: 1.0.0}
do:
  - run: {run: {workflow: {namespace: histories, name: ticked, input: {by: hand}}}}
  - leave: {run: {await: false, workflow: {namespace: histories, name: ticked, version: 1.0.0}}}
"""
