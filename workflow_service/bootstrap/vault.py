"""Secrets put together: the operator's key, the tenants' keys, what people do, what effects get."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.audit import Audit
from chassis.clock import Clock
from chassis.crypto.key_file import load_or_create
from workflow_service.adapters.secrecy import SecretRunner
from workflow_service.application.ports import Runner
from workflow_service.application.vault.keys import KeyRing
from workflow_service.application.vault.lender import Lender
from workflow_service.application.vault.use_cases import Secrets
from workflow_service.application.vault.vault import Vault
from workflow_service.bootstrap.stores import Stores
from workflow_service.config import Settings


@dataclass(frozen=True, slots=True)
class Vaulted:
    """What knows secrets."""

    keys: KeyRing
    vault: Vault
    secrets: Secrets
    lender: Lender

    def around(self, runner: Runner) -> Runner:
        """Return *runner*, with secrets for the calls that may use them."""
        return SecretRunner(runner, self.lender, self.secrets.audit)


def vaulted(settings: Settings, stores: Stores, clock: Clock, audit: Audit) -> Vaulted:
    """Return what knows secrets.

    Raises:
        CannotStart: the file of keys cannot be used.
    """
    keys = KeyRing(load_or_create(settings.secrets_key_file), stores.tenant_keys)
    vault = Vault(stores.secrets, keys, clock, most=settings.bounds.secrets)
    return Vaulted(
        keys,
        vault,
        Secrets(vault, audit, settings.bounds.secret_bytes),
        Lender(vault),
    )
