"""What policies say of a request, and what happens when nobody knows them."""

from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime

import pytest

from chassis.audit import SilentAudit
from chassis.errors import Unavailable
from chassis.policies.attributes import Asked, missing_in, values_of
from chassis.policies.book import PolicyBook, rule_of
from chassis.policies.cel import MAX_CONDITION, ConditionInvalid, compiled
from chassis.policies.feed import Told, encode, followed
from chassis.policies.model import Attributes, Decision, Effect, Mode, Policy, concerning, decide
from chassis.rpc.context import Principal
from chassis.rpc.decisions import PolicyRefused, reads
from tests.support.time import ManualClock, eventually

NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
ADA = Principal("ada", "default", "user", ("user",), frozenset({"things:write"}), "s1")


def policy(
    condition: str,
    effect: Effect = Effect.DENY,
    mode: Mode = Mode.ENFORCE,
    name: str = "p",
    actions: tuple[str, ...] = ("things:write",),
) -> Policy:
    return Policy(name, 1, effect, mode, actions, condition)


def said(*policies: Policy, resource: Mapping[str, object] | None = None) -> Decision:
    asked = Asked(ADA, "things:write", NOW, "Change", "10.1.2.3", resource or {})
    return decide([rule_of(each) for each in policies], Attributes(values_of(asked)))


def test_without_policies_nothing_is_refused() -> None:
    assert said().refusal is None


@pytest.mark.parametrize(
    ("effect", "condition", "refused"),
    [
        (Effect.DENY, "true", True),
        (Effect.DENY, "false", False),
        (Effect.REQUIRE, "true", False),
        (Effect.REQUIRE, "false", True),
    ],
)
def test_what_a_condition_means_depends_on_the_effect(
    effect: Effect, condition: str, *, refused: bool
) -> None:
    assert (said(policy(condition, effect)).refusal is not None) is refused


def test_one_refusal_outweighs_everything_whatever_the_order() -> None:
    no, yes = policy("true", name="no"), policy("true", Effect.REQUIRE, name="yes")

    for policies in ((no, yes), (yes, no)):
        refusal = said(*policies).refusal
        assert refusal is not None
        assert refusal.policy == no


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ("resource.owner == 'x'", "the request has no resource.owner"),
        ("resource.tags.team == 'x' && resource.id == 'y'", "no resource.id, resource.tags"),
        ("principal.id > 3", "No matching overloads"),
        ("principal.id", "not a boolean"),
        ("1 / 0 == 1", "divide by zero"),
        ("principal.id.inNetwork('10.0.0.0/8')", "does not appear to be an IPv4 or IPv6 address"),
        ("this is not CEL", "Syntax error"),
    ],
)
def test_what_cannot_be_evaluated_refuses_and_says_why(
    effect: Effect, condition: str, reason: str
) -> None:
    refusal = said(policy(condition, effect)).refusal

    assert refusal is not None
    assert reason in refusal.reason


def test_a_dry_run_would_refuse_and_does_not() -> None:
    decision = said(policy("true", mode=Mode.DRY_RUN))

    assert decision.refusal is None
    assert [each.policy.name for each in decision.would_refuse] == ["p"]


@pytest.mark.parametrize(
    "condition",
    [
        "principal.id == 'ada' && principal.tenant == 'default' && 'user' in principal.roles",
        "'things:write' in principal.permissions && principal.session == 's1'",
        "principal.client == '' && principal.api_key == ''",
        "action == 'things:write' && resource.type == 'things' && resource.tenant == 'default'",
        "resource.name == 'shop' && resource.tags.team == 'blue' && !has(resource.owner)",
        "context.operation == 'Change' && !context.mfa && context.environment == 'live'",
        "context.address.inNetwork('10.0.0.0/8') && !context.address.inNetwork('10.1.2.4/32')",
        "context.time.getHours() == 10 && context.time.getHours('Asia/Tokyo') == 19",
        "context.time < timestamp('2027-01-01T00:00:00Z')",
        "principal.roles.exists(role, role.startsWith('us'))",
        "resource.name.matches('^(shop|store)$')",
    ],
)
def test_conditions_see_who_asks_for_what_and_how(condition: str) -> None:
    resource = {"name": "shop", "tags": {"team": "blue"}}

    assert said(policy(condition, Effect.REQUIRE), resource=resource).refusal is None


def test_policies_concern_actions_by_name_and_by_pattern() -> None:
    rules = [
        rule_of(policy("true", name=name, actions=(pattern,)))
        for name, pattern in (
            ("exact", "things:write"), ("resource", "things:*"), ("all", "*"),
            ("other", "things:read"), ("others", "thing:*"),
        )
    ]  # fmt: skip

    assert [each.policy.name for each in concerning(rules, "things:write")] == [
        "exact", "resource", "all",
    ]  # fmt: skip
    assert concerning(rules, "policies:write") == ()


@pytest.mark.parametrize(
    "condition",
    [
        "(" * 60 + "true" + ")" * 60,
        "!" * 5000 + "true",
        "true" + " && true" * 1000,
        "a" * (MAX_CONDITION + 1),
        "[1, 2].map(x, x)",
        "size(principal.id)",
        "principal.password == ''",
        "\ud800",
        "",
    ],
)
def test_what_is_no_good_condition_is_refused_before_it_is_used(condition: str) -> None:
    with pytest.raises(ConditionInvalid):
        compiled(condition)


def test_an_endless_condition_is_cut_off() -> None:
    hundred = "[" + ",".join("1" * 90) + "]"
    endless = f"{hundred}.all(a, {hundred}.all(b, {hundred}.all(c, a + b + c > 0)))"

    answer = compiled(endless).evaluate(Attributes(values_of(Asked(ADA, "things:write", NOW))))

    assert answer.value is None
    assert "budget" in answer.problem


def test_attributes_in_texts_are_not_missed() -> None:
    attributes = values_of(Asked(ADA, "things:write", NOW))

    assert missing_in("'resource.owner' == resource.name", attributes) == ("resource.name",)
    assert missing_in("context.time > timestamp('2026-01-01T00:00:00Z')", attributes) == ()


# ------------------------------------------------------------ the book


def refused(book: PolicyBook, tenant: str = "default") -> bool:
    who = Principal("ada", tenant, "user", (), frozenset({"things:write"}))
    try:
        book.check(who, "things:write", "Change", "", None, None)
    except PolicyRefused:
        return True
    return False


def test_tenants_have_their_own_policies() -> None:
    book = PolicyBook(ManualClock(), SilentAudit())
    book.replace({"default": [policy("true")]})

    assert refused(book)
    assert not refused(book, "other")

    book.put("default", [policy("false")])
    book.put("other", [policy("true")])
    assert not refused(book)
    assert refused(book, "other")

    book.replace({})
    assert not refused(book, "other")


async def test_who_cannot_know_the_policies_lets_nobody_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chassis.policies.book.PATIENCE", 0.05)
    clock = ManualClock()
    book = PolicyBook(clock, SilentAudit())
    at_first = book.ready
    with pytest.raises(Unavailable):
        await book.become_ready()

    book.heard()
    clock.advance(29.0)
    after_a_pause = book.ready
    clock.advance(2.0)
    after_a_silence = book.ready
    with pytest.raises(Unavailable):
        await book.become_ready()
    book.heard()

    assert (at_first, after_a_pause, after_a_silence, book.ready) == (False, True, False, True)


def test_a_policy_that_cannot_be_compiled_here_refuses() -> None:
    book = PolicyBook(ManualClock(), SilentAudit())
    book.put("default", [policy("from.a.newer(version)")])

    assert refused(book)


def test_messages_are_read_as_far_as_they_say_something() -> None:
    class Workflow:
        name, version = "shop", ""

    class Message:
        workflow, tags, broken = Workflow(), b'{"team": "blue"}', b"{"

    read = reads(name="workflow.name", version="workflow.version", tags="tags", id="broken")

    assert read(Message()) == {"name": "shop", "tags": {"team": "blue"}}


async def test_the_feed_tells_everything_and_then_what_changes() -> None:
    clock = ManualClock()
    rounds: list[int] = []

    async def feed() -> AsyncGenerator[Told, None]:
        rounds.append(len(rounds))
        if len(rounds) == 1:
            yield Told("gone", encode([policy("true")]))
            yield Told()
            raise Unavailable("lost")
        yield Told("default", encode([policy("true")]))
        yield Told()
        yield Told("other", encode([policy("true")]))
        raise Unavailable("lost again")

    async with followed(feed, clock) as book:
        await book.become_ready()
        assert refused(book, "gone")
        await eventually(lambda: refused(book, "other"))

        assert refused(book)
        assert not refused(book, "gone")
