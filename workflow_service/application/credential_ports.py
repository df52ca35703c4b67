"""What goes wrong with credentials, whoever uses them."""

from __future__ import annotations

from workflow_service.domain.execution.problem import Problem


class CredentialsRefused(Exception):
    """Nothing could be made of the credentials, or nobody accepts them; the problem is the task's fault."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail or problem.type)
        self.problem = problem
