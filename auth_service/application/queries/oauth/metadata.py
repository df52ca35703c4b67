"""GetMetadata: what this server can do, for clients that configure themselves.

Source: RFC 8414 and OpenID Connect Discovery 1.0, one document for both.
"""

from dataclasses import dataclass

import msgspec

from auth_service.domain.mfa.proofs import ONE_FACTOR, TWO_FACTORS
from auth_service.domain.oauth.client import LEGACY, AuthMethod, GrantType, IdTokenAlgorithm
from auth_service.domain.oauth.pkce import METHOD
from auth_service.domain.oauth.scopes import IDENTITY_SCOPES
from auth_service.domain.permissions import PERMISSIONS

ASSERTION_ALGORITHMS = ("ES256", "RS256", "PS256")


@dataclass(frozen=True, slots=True)
class GetMetadata:
    """The document for the address under which the world knows us."""

    issuer: str


@dataclass(frozen=True, slots=True)
class GetMetadataHandler:
    """Says what is on, no more."""

    legacy: frozenset[GrantType]

    async def __call__(self, query: GetMetadata) -> bytes:
        at = query.issuer
        methods = [method.value for method in AuthMethod]
        return msgspec.json.encode(
            {
                "issuer": at,
                "authorization_endpoint": f"{at}/oauth2/authorize",
                "token_endpoint": f"{at}/oauth2/token",
                "revocation_endpoint": f"{at}/oauth2/revoke",
                "introspection_endpoint": f"{at}/oauth2/introspect",
                "userinfo_endpoint": f"{at}/oauth2/userinfo",
                "end_session_endpoint": f"{at}/oauth2/logout",
                "pushed_authorization_request_endpoint": f"{at}/oauth2/par",
                "device_authorization_endpoint": f"{at}/oauth2/device_authorization",
                "jwks_uri": f"{at}/.well-known/jwks.json",
                **self._what_works(),
                "token_endpoint_auth_methods_supported": methods,
                "token_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
                "revocation_endpoint_auth_methods_supported": methods,
                "revocation_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
                "introspection_endpoint_auth_methods_supported": methods[1:],
                "introspection_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
            }
        )

    def _what_works(self) -> dict[str, object]:
        implicit = GrantType.IMPLICIT in self.legacy
        types = ["code", "id_token", "token", "id_token token"] if implicit else ["code"]
        modes = ["query", "fragment"] if implicit else ["query"]
        return {
            "response_types_supported": types,
            "response_modes_supported": modes,
            "grant_types_supported": [
                grant.value for grant in GrantType if grant not in LEGACY or grant in self.legacy
            ],
            "code_challenge_methods_supported": [METHOD],
            "scopes_supported": [*IDENTITY_SCOPES, *sorted(PERMISSIONS)],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [each.value for each in IdTokenAlgorithm],
            "claims_supported": [
                "sub", "name", "email", "email_verified", "updated_at", "auth_time", "acr", "amr", "nonce", "sid",
            ],
            "acr_values_supported": [ONE_FACTOR, TWO_FACTORS],
            "prompt_values_supported": ["none", "login", "consent", "select_account"],
            "authorization_response_iss_parameter_supported": True,
            "claims_parameter_supported": False,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
        }  # fmt: skip
