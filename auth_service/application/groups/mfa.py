"""Second factors."""

from dataclasses import dataclass

from auth_service.application.commands.change_factors import (
    RemoveFactor,
    RenewRecoveryCodes,
    ResetFactors,
)
from auth_service.application.commands.complete_login import CompleteLogin
from auth_service.application.commands.confirm_factor import Confirmed, ConfirmFactor
from auth_service.application.commands.enrol_factor import EnrolEmail, EnrolSms, EnrolTotp, NewTotp
from auth_service.application.commands.forget_devices import ForgetDevice, ForgetDevices
from auth_service.application.commands.send_code import SendLoginCode, SendStepUpCode
from auth_service.application.commands.step_up import SteppedUp, StepUp
from auth_service.application.grants import IssuedTokens
from auth_service.application.queries.list_factors import ListDevices, ListFactors, OwnFactors
from auth_service.application.use_case import UseCase
from auth_service.domain.mfa.devices import Device
from auth_service.domain.mfa.factors import Factor


@dataclass(frozen=True, slots=True)
class MfaCases:
    """Codes at login and for what is sensitive, factors, remembered devices."""

    complete_login: UseCase[CompleteLogin, IssuedTokens]
    send_login_code: UseCase[SendLoginCode, None]
    step_up: UseCase[StepUp, SteppedUp]
    send_step_up_code: UseCase[SendStepUpCode, None]
    enrol_totp: UseCase[EnrolTotp, NewTotp]
    enrol_email: UseCase[EnrolEmail, Factor]
    enrol_sms: UseCase[EnrolSms, Factor]
    confirm: UseCase[ConfirmFactor, Confirmed]
    remove: UseCase[RemoveFactor, None]
    renew_recovery_codes: UseCase[RenewRecoveryCodes, tuple[str, ...]]
    reset: UseCase[ResetFactors, None]
    forget_device: UseCase[ForgetDevice, None]
    forget_devices: UseCase[ForgetDevices, None]
    factors: UseCase[ListFactors, OwnFactors]
    devices: UseCase[ListDevices, tuple[Device, ...]]
