"""API keys as documents."""

from auth_service.adapters.times import maybe_micros, maybe_moment, micros, moment
from auth_service.domain.api_key import ApiKey, Environment, KeySecret, KeyTerms
from chassis.storage.mongo import Document


def key_document(key: ApiKey) -> Document:
    """A key, without its secrets and how it is used."""
    return {
        "_id": key.id,
        "tenant": key.tenant,
        "owner": key.owner,
        "environment": key.environment.value,
        **terms_document(key.terms),
        "created_at": micros(key.created_at),
        "updated_at": micros(key.updated_at),
    }


def terms_document(terms: KeyTerms) -> Document:
    """The part of a key that can be changed."""
    return {
        "name": terms.name,
        "permissions": list(terms.permissions),
        "rate_limit": terms.rate_limit,
        "allowed_ips": list(terms.allowed_ips),
        "expires_at": maybe_micros(terms.expires_at),
    }


def secret_document(key_id: str, generation: int, secret: KeySecret) -> Document:
    """The text of a key that is its newest one, which ends when another one comes."""
    return {
        "_id": secret.prefix,
        "key_id": key_id,
        "generation": generation,
        "pepper": secret.pepper,
        "digest": secret.digest,
        "created_at": micros(secret.created_at),
        "ends_at": None,
    }


def secret_from(document: Document) -> KeySecret:
    """The inverse of `secret_document`."""
    return KeySecret(
        prefix=document["_id"],
        pepper=document["pepper"],
        digest=bytes(document["digest"]),
        created_at=moment(document["created_at"]),
        ends_at=maybe_moment(document["ends_at"]),
    )


def key_from(document: Document, prefix: str, usage: Document | None) -> ApiKey:
    """The inverse of `key_document`, with the prefix of its newest text, and how it is used."""
    return ApiKey(
        id=document["_id"],
        tenant=document["tenant"],
        owner=document["owner"],
        environment=Environment(document["environment"]),
        terms=KeyTerms(
            name=document["name"],
            permissions=tuple(document["permissions"]),
            rate_limit=document["rate_limit"],
            allowed_ips=tuple(document["allowed_ips"]),
            expires_at=maybe_moment(document["expires_at"]),
        ),
        prefix=prefix,
        created_at=moment(document["created_at"]),
        updated_at=moment(document["updated_at"]),
        last_used_at=None if usage is None else moment(usage["last_used_at"]),
        uses=0 if usage is None else usage["uses"],
    )
