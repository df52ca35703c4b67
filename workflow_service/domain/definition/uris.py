"""URIs as authors write them: which schemes, and what may stand in braces.

Source: Open Workflow Specification, DSL reference, "URI Template".
"""

from __future__ import annotations

import re

from workflow_service.domain.definition.building import Builder

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):", re.ASCII)
_BRACES = re.compile(r"\{([^{}]*)\}")
_OPERATORS = "+#./;?&=,!@|"


def check_uri(builder: Builder, uri: str, pointer: str, schemes: tuple[str, ...]) -> None:
    """Note what is wrong with an absolute URI of one of *schemes*."""
    scheme = _SCHEME.match(uri)
    if scheme is None and not uri.startswith("{"):
        builder.problem(
            pointer, "must begin with https:// or http://: there is nothing it could be relative to"
        )
    elif scheme is not None and scheme[1].lower() not in schemes:
        builder.problem(pointer, f"{scheme[1]}: is not called over HTTP; use https: or http:")
    check_braces(builder, uri, pointer)


def check_braces(builder: Builder, uri: str, pointer: str) -> None:
    """Note braces in *uri* that the DSL does not know."""
    for found in _BRACES.finditer(uri):
        if not found[1] or found[1][0] in _OPERATORS:
            builder.problem(
                pointer, f"{found[0][:80]} is not supported: only {{name}} is replaced in a URI"
            )
