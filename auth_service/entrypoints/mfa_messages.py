"""Every translation between protobuf messages and the words of second factors."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from auth_service.application.actor import Actor
from auth_service.application.commands.change_factors import (
    RemoveFactor,
    RenewRecoveryCodes,
    ResetFactors,
)
from auth_service.application.commands.complete_login import CompleteLogin
from auth_service.application.commands.confirm_factor import Confirmed, ConfirmFactor
from auth_service.application.commands.enrol_factor import EnrolEmail, EnrolSms, EnrolTotp, NewTotp
from auth_service.application.commands.send_code import SendLoginCode, SendStepUpCode
from auth_service.application.commands.step_up import SteppedUp, StepUp
from auth_service.application.queries.list_factors import OwnFactors
from auth_service.application.recent_authentication import Presence
from auth_service.domain.errors import InputInvalid
from auth_service.domain.mfa.devices import Device
from auth_service.domain.mfa.factors import Factor, FactorKind, Method, shown_target
from auth_service.domain.session import MAX_ADDRESS, MAX_USER_AGENT, Origin
from chassis.errors import FieldProblem, PermissionDenied
from chassis.rpc.context import Principal
from protos.auth.v1 import auth_pb2
from protos.auth.v1 import mfa_pb2 as pb

_CODES = (Method.TOTP, Method.EMAIL, Method.SMS, Method.RECOVERY)
_SENT = (Method.EMAIL, Method.SMS)


def to_complete_login(request: pb.CompleteLoginRequest) -> CompleteLogin:
    """Raises `InputInvalid` for a method that has no codes."""
    return CompleteLogin(
        mfa_token=request.mfa_token,
        method=_method(request.method, _CODES),
        code=request.code,
        remember_device=request.remember_device,
        origin=_origin(request.origin),
    )


def to_send_login_code(request: pb.SendLoginCodeRequest) -> SendLoginCode:
    """Raises `InputInvalid` for a method whose codes are not sent."""
    return SendLoginCode(request.mfa_token, _method(request.method, _SENT))


def to_step_up(request: pb.StepUpRequest, caller: Principal) -> StepUp:
    """Raises `InputInvalid` for a method that proves nothing."""
    method = _method(request.method, (Method.PASSWORD, *_CODES))
    by_password = method is Method.PASSWORD
    presence = Presence(
        caller.tenant,
        caller.id,
        session_of(caller),
        _origin(request.origin),
        request.password if by_password else None,
    )
    return StepUp(presence, method, "" if by_password else request.code)


def to_send_step_up_code(request: pb.SendStepUpCodeRequest, caller: Principal) -> SendStepUpCode:
    """Raises `InputInvalid` for a method whose codes are not sent."""
    return SendStepUpCode(session_of(caller), _method(request.method, _SENT))


def to_enrol_totp(request: pb.EnrolTotpRequest, caller: Principal) -> EnrolTotp:
    """For the caller."""
    return EnrolTotp(presence_of(request.confirmation, caller))


def to_enrol_email(request: pb.EnrolEmailRequest, caller: Principal) -> EnrolEmail:
    """For the caller."""
    return EnrolEmail(presence_of(request.confirmation, caller))


def to_enrol_sms(request: pb.EnrolSmsRequest, caller: Principal) -> EnrolSms:
    """For the caller."""
    return EnrolSms(presence_of(request.confirmation, caller), request.phone)


def to_confirm(request: pb.ConfirmFactorRequest, caller: Principal) -> ConfirmFactor:
    """Raises `InputInvalid` for a kind that there is not."""
    try:
        kind = FactorKind(request.kind)
    except ValueError as exc:
        raise InputInvalid([FieldProblem("kind", _one_of(tuple(FactorKind)))]) from exc
    return ConfirmFactor(session_of(caller), kind, request.code)


def to_remove(request: pb.RemoveFactorRequest, caller: Principal) -> RemoveFactor:
    """One of the caller's own."""
    return RemoveFactor(presence_of(request.confirmation, caller), request.factor_id)


def to_renew(request: pb.RenewRecoveryCodesRequest, caller: Principal) -> RenewRecoveryCodes:
    """For the caller."""
    return RenewRecoveryCodes(presence_of(request.confirmation, caller))


def to_reset(request: pb.ResetFactorsRequest, caller: Principal) -> ResetFactors:
    """For somebody else of the caller's tenant."""
    presence = presence_of(request.confirmation, caller)
    return ResetFactors(presence, to_actor(caller), request.user_id)


def session_of(caller: Principal) -> str:
    """The caller's own login.

    Raises:
        PermissionDenied: it is a program: an API key, or an OAuth client that acts for the user.
    """
    session_id = in_person(caller)
    if not session_id:
        raise PermissionDenied("Only the user in person can do this, not a program")
    return session_id


def in_person(caller: Principal) -> str:
    """The session of a person; "" for an API key, or an OAuth client that acts for somebody."""
    return "" if caller.client_id is not None else caller.session_id or ""


def to_actor(caller: Principal) -> Actor:
    """Whoever changes what is not only their own, with what they may do."""
    return Actor(caller.tenant, caller.id, caller.permissions, in_person(caller))


def from_stepped_up(stepped: SteppedUp) -> pb.StepUpResponse:
    """The new access token, and what it proves."""
    return pb.StepUpResponse(
        access_token=stepped.access_token,
        expires_in=stepped.expires_in,
        auth_time=_time(stepped.proof.at),
        acr=stepped.proof.acr,
        amr=stepped.proof.amr,
    )


def from_factor(factor: Factor) -> pb.Factor:
    """What may be told of a factor; never its seed."""
    return pb.Factor(
        id=factor.id,
        kind=factor.kind.value,
        target=shown_target(factor),
        created_at=_time(factor.created_at),
        last_used_at=None if factor.last_used_at is None else _time(factor.last_used_at),
    )


def from_own(own: OwnFactors) -> pb.ListFactorsResponse:
    """The factors that count."""
    return pb.ListFactorsResponse(
        factors=[from_factor(factor) for factor in own.factors],
        recovery_codes_left=own.recovery_codes_left,
    )


def from_new_totp(made: NewTotp) -> pb.EnrolTotpResponse:
    """The one time that the seed is told."""
    return pb.EnrolTotpResponse(factor=from_factor(made.factor), secret=made.secret, uri=made.uri)


def from_confirmed(confirmed: Confirmed) -> pb.ConfirmFactorResponse:
    """The one time that recovery codes are told."""
    return pb.ConfirmFactorResponse(
        factor=from_factor(confirmed.factor), recovery_codes=confirmed.recovery_codes
    )


def from_device(device: Device) -> pb.Device:
    """What may be told of a device; never its token."""
    return pb.Device(
        id=device.id,
        address=device.address,
        user_agent=device.user_agent,
        created_at=_time(device.created_at),
        last_used_at=_time(device.last_used_at),
        expires_at=_time(device.expires_at),
    )


def presence_of(confirmation: pb.Confirmation, caller: Principal) -> Presence:
    """The caller's own login, and the password if it was given."""
    return Presence(
        caller.tenant,
        caller.id,
        session_of(caller),
        _origin(confirmation.origin),
        confirmation.password or None,
    )


def _method(name: str, allowed: tuple[Method, ...]) -> Method:
    if name not in allowed:
        raise InputInvalid([FieldProblem("method", _one_of(allowed))])
    return Method(name)


def _one_of(names: tuple[str, ...]) -> str:
    return f"Must be one of {', '.join(names)}"


def _origin(origin: auth_pb2.Origin) -> Origin:
    return Origin(origin.address[:MAX_ADDRESS], origin.user_agent[:MAX_USER_AGENT])


def _time(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
