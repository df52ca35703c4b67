"""The settings of second factors."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from auth_service.domain.mfa.challenges import SendingPolicy
from auth_service.domain.mfa_requirement import Requirement
from chassis.config import Environment

PHONE: Final = "{phone}"


@dataclass(frozen=True, slots=True)
class SmsSettings:
    """How text messages leave the house: a webhook, or a URL of Apprise, or not at all."""

    url: str | None = None
    token: str | None = field(default=None, repr=False)
    apprise: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class MfaSettings:
    """Who needs a second factor, what apps call this house, and how many codes are sent."""

    required: Requirement = Requirement.NONE
    issuer: str = "Autoworker"
    sms: SmsSettings = field(default_factory=SmsSettings)
    sending: SendingPolicy = field(default_factory=SendingPolicy)


def mfa_settings(env: Environment) -> MfaSettings:
    """The settings that *env* holds; problems are noted there."""
    required = env.choice("AUTOWORKER_MFA_REQUIRED", "none", [each.value for each in Requirement])
    issuer = env.text("AUTOWORKER_MFA_ISSUER", "Autoworker")
    if ":" in issuer or not issuer.isprintable() or len(issuer) > 64:
        # A colon parts issuer and account in what apps scan.
        env.problem("AUTOWORKER_MFA_ISSUER", "must be a name of up to 64 characters without ':'")
    default = SendingPolicy()
    return MfaSettings(
        required=Requirement(required),
        issuer=issuer,
        sms=_sms(env),
        sending=SendingPolicy(
            per_destination=env.integer(
                "AUTOWORKER_MFA_CODES_PER_DESTINATION",
                default.per_destination,
                minimum=1,
                maximum=1_000,
            ),
            per_account=env.integer(
                "AUTOWORKER_MFA_CODES_PER_ACCOUNT", default.per_account, minimum=1, maximum=1_000
            ),
            per_tenant=env.integer(
                "AUTOWORKER_MFA_CODES_PER_TENANT",
                default.per_tenant,
                minimum=1,
                maximum=1_000_000,
            ),
        ),
    )


def _sms(env: Environment) -> SmsSettings:
    url, apprise = env.optional("AUTOWORKER_SMS_URL"), env.secret("AUTOWORKER_SMS_APPRISE")
    insecure = env.flag("AUTOWORKER_INSECURE_DEV", False)
    if url is not None and apprise is not None:
        env.problem("AUTOWORKER_SMS_URL", "set this or AUTOWORKER_SMS_APPRISE, not both")
    if url is not None and not _is_safe(url, insecure=insecure):
        env.problem("AUTOWORKER_SMS_URL", "must begin with https://, and hold no password")
    if apprise is not None and PHONE not in apprise:
        env.problem("AUTOWORKER_SMS_APPRISE", f"must have {PHONE} where the number goes")
    return SmsSettings(url, env.secret("AUTOWORKER_SMS_TOKEN"), apprise)


def _is_safe(url: str, *, insecure: bool) -> bool:
    """Codes and the token go by https alone; in INSECURE_DEV mode also to this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if not host or parts.username or parts.password:
        return False
    return parts.scheme == "https" or (insecure and parts.scheme == "http" and _is_local(host))


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
