"""Schemes that need nothing but the credentials themselves.

Source: RFC 7617 (basic), RFC 6750 (bearer).
"""

from __future__ import annotations

import base64

from workflow_service.adapters.authentication.problems import unusable
from workflow_service.domain.execution.credentials import BasicCredentials, BearerCredentials


def authorization(credentials: BasicCredentials | BearerCredentials) -> str:
    """Return the whole value of the Authorization header.

    Raises:
        CredentialsRefused: the scheme has no way to say them.
    """
    match credentials:
        case BasicCredentials(username, password):
            if ":" in username:
                raise unusable("basic authentication has no way to say a user name with a colon")
            pair = f"{username}:{password}".encode()
            return f"Basic {base64.b64encode(pair).decode()}"
        case BearerCredentials(token):
            # Tokens that come from files often end with a line break.
            return f"Bearer {token.strip()}"
