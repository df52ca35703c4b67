"""How tasks follow on each other: lists, directives, switch, for, fork, functions."""

from __future__ import annotations

import pytest

from tests.support.workflow_run import WorkflowRun, problem, run
from workflow_service.domain.execution.events import (
    IterationStarted,
    TaskCancelled,
    TaskCompleted,
    TaskCreated,
    TaskFaulted,
    TaskStarted,
)
from workflow_service.domain.execution.limits import Limits

CALL = "{call: http, with: {method: get, endpoint: 'http://example.com/'}}"


def test_tasks_run_in_the_order_in_which_they_are_written() -> None:
    ended = run("do:\n- a: {set: {x: 1}}\n- b: {set: {x: 2}}\n- c: {set: {x: 3}}")

    assert ended.tasks(TaskCompleted) == ["/do/0/a", "/do/1/b", "/do/2/c"]
    assert ended.tasks(TaskCreated) == ended.tasks(TaskStarted) == ended.tasks(TaskCompleted)


def test_a_definition_costs_one_advance_when_nothing_waits() -> None:
    assert not run("do:\n- a: {set: {x: 1}}").asked


def test_then_may_lead_to_a_later_task() -> None:
    text = "do:\n- a: {set: {x: 1}, then: c}\n- b: {set: {x: 2}}\n- c: {set: {y: '${ .x }'}}"

    assert run(text).output == {"y": 1}


def test_then_may_lead_backwards_and_each_round_is_told_apart() -> None:
    text = """
do:
- count: {set: {count: '${ (.count // 0) + 1 }'}}
- again: {switch: [{more: {when: .count < 3, then: count}}, {done: {then: continue}}]}
- last: {set: {result: '${ .count }'}}
"""
    ended = run(text)

    assert ended.output == {"result": 3}
    rounds = [
        e.frame_id for e in ended.events if isinstance(e, TaskCreated) and e.task == "/do/0/count"
    ]
    assert rounds == ["/do/0/count", "/do/0/count~1", "/do/0/count~2"]


def test_exit_completes_the_scope_it_is_in() -> None:
    text = """
do:
- outer:
    do:
    - a: {set: {x: 1}, then: exit}
    - b: {set: {x: 2}}
- after: {set: {seen: '${ .x }'}}
"""
    assert run(text).output == {"seen": 1}


def test_exit_in_the_main_list_completes_the_workflow() -> None:
    assert run("do:\n- a: {set: {x: 1}, then: exit}\n- b: {set: {x: 2}}").output == {"x": 1}


def test_end_completes_the_workflow_from_any_depth() -> None:
    text = """
do:
- outer: {do: [{inner: {do: [{a: {set: {x: 1}, then: end}}]}}]}
- never: {set: {x: 2}}
output: {as: '{result: .x}'}
"""
    assert run(text).output == {"result": 1}


def test_end_in_a_branch_cancels_the_others() -> None:
    text = f"""
do:
- both: {{fork: {{branches: [{{slow: {CALL}}}, {{quick: {{set: {{x: 1}}, then: end}}}}]}}}}
- never: {{set: {{x: 2}}}}
"""
    ended = run(text)

    assert ended.output == {"x": 1}
    assert "/do/0/both/fork/branches/0/slow" in ended.tasks(TaskCancelled)


def test_switch_takes_the_first_case_that_holds() -> None:
    text = """
do:
- pick: {switch: [{a: {when: .n > 10, then: big}}, {b: {when: .n > 1, then: middle}}, {c: {then: small}}]}
- big: {set: {is: big}, then: end}
- middle: {set: {is: middle}, then: end}
- small: {set: {is: small}}
"""
    assert run(text, {"n": 11}).output == {"is": "big"}
    assert run(text, {"n": 2}).output == {"is": "middle"}
    assert run(text, {"n": 0}).output == {"is": "small"}


def test_the_default_case_may_stand_anywhere() -> None:
    text = """
do:
- pick: {switch: [{otherwise: {then: end}}, {a: {when: .n == 1, then: one}}]}
- skipped: {set: {is: wrong}}
- one: {set: {is: one}}
"""
    assert run(text, {"n": 1}).output == {"is": "one"}
    assert run(text, {"n": 2}).output == {"n": 2}


def test_a_switch_in_which_nothing_matches_goes_on_as_its_then_says() -> None:
    assert run(
        "do:\n- s: {switch: [{a: {when: 1 == 2, then: end}}]}\n- b: {set: {x: 1}}"
    ).output == {"x": 1}


def test_for_hands_each_iterations_output_to_the_next() -> None:
    text = """
do:
- sum:
    for: {each: n, in: .numbers, at: i}
    do:
    - add: {set: {total: '${ (.total // 0) + $n }', seen: '${ (.seen // []) + [$i] }'}}
"""
    ended = run(text, {"numbers": [5, 6, 7]})

    assert ended.output == {"total": 18, "seen": [0, 1, 2]}
    assert len(ended.tasks(IterationStarted)) == 3


def test_for_names_its_variables_item_and_index_by_default() -> None:
    text = "do:\n- l: {for: {in: '[\"a\"]'}, do: [{s: {set: {x: '${ [$item, $index] }'}}}]}"

    assert run(text).output == {"x": ["a", 0]}


def test_for_over_nothing_outputs_its_input() -> None:
    assert run("do:\n- l: {for: {in: .none}, do: [{s: {set: {x: 1}}}]}", {"none": []}).output == {
        "none": []
    }


def test_for_over_something_else_than_an_array_is_an_expression_error() -> None:
    assert run("do:\n- l: {for: {in: .n}, do: [{s: {set: {x: 1}}}]}", {"n": 1}).error.type.endswith(
        "/expression"
    )


def test_while_ends_the_loop_early() -> None:
    text = "do:\n- l: {for: {in: '[1,2,3,4]'}, while: $item < 3, do: [{s: {set: {last: '${ $item }'}}}]}"

    assert run(text).output == {"last": 2}


def test_for_accepts_an_inline_array() -> None:
    text = "do:\n- l: {for: {in: [{id: 1}, {id: '${ 1 + 1 }'}]}, do: [{s: {set: {ids: '${ (.ids // []) + [$item.id] }'}}}]}"

    assert run(text).output == {"ids": [1, 2]}


def test_loops_inside_loops_see_the_outer_variables() -> None:
    text = """
do:
- outer:
    for: {each: a, in: '[1, 2]'}
    do:
    - inner:
        for: {each: b, in: '[10, 20]'}
        do:
        - s: {set: {all: '${ (.all // []) + [$a * $b] }'}}
"""
    assert run(text).output == {"all": [10, 20, 20, 40]}


def test_a_loop_that_is_too_long_says_so() -> None:
    ended = WorkflowRun(
        "do:\n- l: {for: {in: '[1,2,3]'}, do: [{s: {set: {x: 1}}}]}", limits=Limits(loop_items=2)
    ).start()

    assert ended.error.type.endswith("/runtime")
    assert "2" in (ended.error.detail or "")


def test_a_long_list_is_committed_in_portions_and_ends_the_same() -> None:
    text = "do:\n- l: {for: {in: '[range(50)]'}, do: [{s: {set: {x: '${ (.x // 0) + 1 }'}}}]}"

    assert WorkflowRun(text, limits=Limits(tasks_per_advance=7)).start().output == {"x": 50}


def test_fork_outputs_its_branches_in_their_order_whoever_is_first() -> None:
    text = f"do:\n- f: {{fork: {{branches: [{{a: {CALL}}}, {{b: {CALL}}}]}}}}"
    forked = run(text)
    assert len(forked.pending) == 2

    forked.answer("B", task="/do/0/f/fork/branches/1/b")
    assert forked.status == "running"
    assert forked.answer("A", task="/do/0/f/fork/branches/0/a").output == ["A", "B"]


def test_every_branch_gets_the_forks_input() -> None:
    text = "do:\n- f: {input: {from: .x}, fork: {branches: [{a: {set: '${ . }'}}, {b: {set: '${ . + 1 }'}}]}}"

    assert run(text, {"x": 1}).output == [1, 2]


def test_a_skipped_branch_gives_back_its_input() -> None:
    text = "do:\n- f: {fork: {branches: [{a: {if: 1 == 2, set: {x: 1}}}, {b: {set: {x: 2}}}]}}"

    assert run(text, {"i": 1}).output == [{"i": 1}, {"x": 2}]


def test_an_error_in_a_branch_faults_the_fork_and_cancels_the_others() -> None:
    text = f"do:\n- f: {{fork: {{branches: [{{a: {CALL}}}, {{b: {CALL}}}]}}}}"
    ended = run(text).fail(task="/do/0/f/fork/branches/0/a")

    assert ended.error.instance == "/do/0/f/fork/branches/0/a"
    assert ended.tasks(TaskCancelled) == ["/do/0/f/fork/branches/1/b"]
    assert ended.tasks(TaskFaulted) == ["/do/0/f/fork/branches/0/a", "/do/0/f"]


def test_competing_branches_have_one_winner() -> None:
    text = f"do:\n- f: {{fork: {{compete: true, branches: [{{a: {CALL}}}, {{b: {CALL}}}]}}}}"
    ended = run(text).answer("B", task="/do/0/f/fork/branches/1/b")

    assert ended.output == "B"
    assert ended.tasks(TaskCancelled) == ["/do/0/f/fork/branches/0/a"]


def test_a_function_gets_its_arguments_as_input_and_nothing_else() -> None:
    text = """
use:
  functions:
    greet: {set: {greeting: '${ "Hello " + .name }', saw: '${ keys }'}}
do:
- one: {call: greet, with: {name: '${ .user }'}}
"""
    ended = run(text, {"user": "Ada", "other": 1})

    assert ended.output == {"greeting": "Hello Ada", "saw": ["name"]}
    assert "/use/functions/greet" in ended.tasks(TaskCompleted)


def test_a_function_without_arguments_gets_the_tasks_input() -> None:
    text = "use: {functions: {same: {set: '${ . }'}}}\ndo:\n- one: {call: same}"

    assert run(text, {"x": 1}).output == {"x": 1}


def test_two_calls_of_a_function_have_different_keys() -> None:
    text = f"use: {{functions: {{get: {CALL}}}}}\ndo:\n- one: {{call: get}}\n- two: {{call: get}}"
    first = run(text)
    key = first.pending[0].key

    assert first.answer(1).pending[0].key != key


def test_a_fault_in_a_function_faults_the_call() -> None:
    text = f"use: {{functions: {{get: {CALL}}}}}\ndo:\n- one: {{call: get}}"
    ended = run(text).fail(problem(status=502))

    assert ended.error.status == 502
    assert ended.tasks(TaskFaulted) == ["/use/functions/get", "/do/0/one"]


@pytest.mark.parametrize("name", ["a/b", "a~b", "ä ö", "#1"])
def test_odd_task_names_make_proper_pointers(name: str) -> None:
    escaped = name.replace("~", "~0").replace("/", "~1")

    assert run(f"do:\n- '{name}': {{set: {{x: 1}}}}").tasks(TaskCompleted) == [f"/do/0/{escaped}"]
