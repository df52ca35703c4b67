"""Tenants: who shares an installation without knowing of each other."""

import re

DEFAULT_TENANT = "default"
"""Whose users those are who name no tenant."""

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def is_tenant_name(name: str) -> bool:
    """Whether *name* can be one: like a label of a host name, in lower case."""
    return _NAME.fullmatch(name) is not None
