"""Credentials put to use: one way for every kind of call."""

from workflow_service.adapters.authentication.certificates import ClientCertificate
from workflow_service.adapters.authentication.sending import AuthenticatedEgress

__all__ = ["AuthenticatedEgress", "ClientCertificate"]
