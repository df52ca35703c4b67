"""Secrets on their way out, and kept from coming back."""

from workflow_service.adapters.secrecy.runner import SecretRunner

__all__ = ["SecretRunner"]
