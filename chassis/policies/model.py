"""What a policy is, and how the verdicts of several become one decision. Pure.

A request needs its permission first. Then, of the policies that concern its action,

- every `deny` policy must be false,
- every `require` policy must be true,

and one that cannot be evaluated counts against the request. So policies only ever narrow what roles
allow, their order means nothing, and a refusal overrides everything else: Cedar's `forbid`, and its
`forbid … unless`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

EXEMPT = frozenset({"policies:read", "policies:write"})
"""Actions that no policy can refuse: whoever wrote a policy too wide must be able to mend it."""


@dataclass(slots=True)
class Attributes:
    """`principal`, `resource`, `context` and `action` of one request, as conditions see them."""

    values: Mapping[str, object]
    prepared: object = None
    """Where those who evaluate conditions keep what they have made of the values."""


class Effect(StrEnum):
    """What it means when a policy's condition is true."""

    DENY = "deny"
    """The request is refused."""
    REQUIRE = "require"
    """The request is refused unless it is true."""


class Mode(StrEnum):
    """Whether a policy counts."""

    ENFORCE = "enforce"
    DRY_RUN = "dry_run"
    """It is evaluated, and what it would have refused is told, but nothing is refused."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One rule of a tenant.

    *actions* are permissions (`executions:write`), or patterns of them: `executions:*`, `*`.
    *condition* is CEL and evaluates to a boolean.
    """

    name: str
    version: int
    effect: Effect
    mode: Mode
    actions: tuple[str, ...]
    condition: str

    def concerns(self, action: str) -> bool:
        """Whether requests for *action* are looked at."""
        resource = action.partition(":")[0]
        wanted = (action, f"{resource}:*", "*")
        return action not in EXEMPT and any(each in wanted for each in self.actions)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a condition evaluated to; None when it could not be evaluated, for the reason *problem*."""

    value: bool | None
    problem: str = ""


class Condition(Protocol):
    """A compiled condition."""

    def evaluate(self, attributes: Attributes) -> Answer:
        """Its answer; never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Rule:
    """A policy with its condition compiled."""

    policy: Policy
    condition: Condition


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one policy says of one request."""

    policy: Policy
    answer: Answer

    @property
    def refuses(self) -> bool:
        """Whether the request may not pass, were the policy enforced."""
        if self.answer.value is None:
            return True
        return self.answer.value is (self.policy.effect is Effect.DENY)

    @property
    def decides(self) -> bool:
        """Whether it refuses and counts."""
        return self.refuses and self.policy.mode is Mode.ENFORCE

    @property
    def reason(self) -> str:
        """Why it says what it says, in words."""
        if self.answer.value is None:
            return f"it cannot be evaluated: {self.answer.problem}"
        match self.policy.effect, self.answer.value:
            case Effect.DENY, True:
                return "its condition is true, and it denies"
            case Effect.REQUIRE, False:
                return "its condition is false, and it is required"
            case _:
                return f"its condition is {str(self.answer.value).lower()}"


@dataclass(frozen=True, slots=True)
class Decision:
    """What all policies together say."""

    verdicts: tuple[Verdict, ...]

    @property
    def refusal(self) -> Verdict | None:
        """The first policy that refuses; None lets the request pass."""
        return next((each for each in self.verdicts if each.decides), None)

    @property
    def would_refuse(self) -> tuple[Verdict, ...]:
        """Those in a dry run that would have refused."""
        return tuple(
            each for each in self.verdicts if each.refuses and each.policy.mode is Mode.DRY_RUN
        )


def concerning(rules: Iterable[Rule], action: str) -> tuple[Rule, ...]:
    """The rules that look at *action*."""
    return tuple(rule for rule in rules if rule.policy.concerns(action))


def decide(rules: Sequence[Rule], attributes: Attributes) -> Decision:
    """The verdict of each of *rules*, in their order."""
    return Decision(
        tuple(Verdict(rule.policy, rule.condition.evaluate(attributes)) for rule in rules)
    )
