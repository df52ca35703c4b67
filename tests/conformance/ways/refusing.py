"""Definitions that are not to be accepted."""

from __future__ import annotations

from collections.abc import Sequence

from tests.conformance.scenario import Scenario


def refusal_verdict(scenario: Scenario, found: Sequence[tuple[str, str]]) -> list[str]:
    """What is different from the refusals that the scenario expects; *found* is each place with its reason."""
    wanted = {refusal.field: refusal.message for refusal in scenario.refused}
    told = dict(found)
    differences = [f"{field}: should be refused" for field in wanted if field not in told]
    differences += [f"{field}: {said}" for field, said in told.items() if field not in wanted]
    return differences + [
        f"{field}: expected {wanted[field]!r} in {told[field]!r}"
        for field in wanted
        if field in told and wanted[field] not in told[field]
    ]
