"""Conditions of policies, in CEL."""

from chassis.policies.book import rule_of
from chassis.policies.cel import ConditionInvalid, compiled
from chassis.policies.model import Policy, Rule


class CelConditions:
    """The port `Conditions`."""

    def problem(self, condition: str) -> str | None:
        """See the port."""
        try:
            compiled(condition)
        except ConditionInvalid as exc:
            return str(exc)
        return None

    def rule(self, policy: Policy) -> Rule:
        """See the port."""
        return rule_of(policy)
