"""Second factors, put together."""

from auth_service.application.accounts.seniority import Seniority
from auth_service.application.commands.change_factors import (
    RemoveFactorHandler,
    RenewRecoveryCodesHandler,
    ResetFactorsHandler,
)
from auth_service.application.commands.complete_login import CompleteLoginHandler
from auth_service.application.commands.confirm_factor import ConfirmFactorHandler
from auth_service.application.commands.enrol_factor import (
    EnrolEmailHandler,
    Enrolment,
    EnrolSmsHandler,
    EnrolTotpHandler,
)
from auth_service.application.commands.forget_devices import (
    ForgetDeviceHandler,
    ForgetDevicesHandler,
)
from auth_service.application.commands.send_code import (
    SendLoginCodeHandler,
    SendStepUpCodeHandler,
)
from auth_service.application.commands.step_up import StepUpHandler
from auth_service.application.groups.mfa import MfaCases
from auth_service.application.mfa.changes import FactorChanges
from auth_service.application.mfa.guard import FactorGuard
from auth_service.application.mfa.recovery import RecoveryCodeMaker
from auth_service.application.mfa.sending import CodeSending
from auth_service.application.queries.list_factors import ListDevicesHandler, ListFactorsHandler
from auth_service.bootstrap.foundation import Foundation
from chassis.handlers import wrap


def mfa(base: Foundation) -> MfaCases:
    """Everything about second factors."""
    stores, world, parts, live = base.stores, base.world, base.mfa, base.live
    audit, clock, randomness = world.audit, world.clock, base.randomness
    kept, second, pending = stores.mfa, parts.second, parts.pending
    guard = FactorGuard(base.presence, base.owned, live)
    changes = FactorChanges(
        stores.sessions, live, parts.letters, base.settings.sessions, audit, clock
    )
    sending = code_sending(base)
    maker = RecoveryCodeMaker(kept.recovery, randomness, clock)
    enrolment = Enrolment(guard, kept.factors, audit, clock, world.ids)
    totp = EnrolTotpHandler(enrolment, parts.seeds, randomness, base.settings.mfa.issuer)
    step_up = StepUpHandler(live, base.owned, second, base.presence, changes, base.grants)
    confirm = ConfirmFactorHandler(live, second, maker, changes, clock)
    renew = RenewRecoveryCodesHandler(guard, kept.factors, maker, changes)
    reset = ResetFactorsHandler(
        base.presence, Seniority(stores.users, base.rights, audit), kept.factors, changes
    )
    send_login = SendLoginCodeHandler(pending, kept.factors, sending)
    send_step_up = SendStepUpCodeHandler(live, kept.factors, sending)
    remove = RemoveFactorHandler(guard, kept.factors, changes)
    forget = ForgetDeviceHandler(kept.devices, audit)
    forget_all = ForgetDevicesHandler(kept.devices, audit)
    factors = ListFactorsHandler(live, kept.factors, kept.recovery)
    devices = ListDevicesHandler(kept.devices, clock)
    return MfaCases(
        complete_login=wrap(
            CompleteLoginHandler(pending, parts.entrance), name="auth.complete_login"
        ),
        send_login_code=wrap(send_login, name="auth.send_login_code"),
        step_up=wrap(step_up, name="auth.step_up"),
        send_step_up_code=wrap(send_step_up, name="auth.send_step_up_code"),
        enrol_totp=wrap(totp, name="auth.enrol_totp"),
        enrol_email=wrap(EnrolEmailHandler(enrolment, sending), name="auth.enrol_email"),
        enrol_sms=wrap(EnrolSmsHandler(enrolment, sending), name="auth.enrol_sms"),
        confirm=wrap(confirm, name="auth.confirm_factor"),
        remove=wrap(remove, name="auth.remove_factor"),
        renew_recovery_codes=wrap(renew, name="auth.renew_recovery_codes"),
        reset=wrap(reset, name="auth.reset_factors"),
        forget_device=wrap(forget, name="auth.forget_device"),
        forget_devices=wrap(forget_all, name="auth.forget_devices"),
        factors=wrap(factors, name="auth.list_factors"),
        devices=wrap(devices, name="auth.list_devices"),
    )


def code_sending(base: Foundation) -> CodeSending:
    """How codes are sent."""
    kept, world = base.stores.mfa, base.world
    return CodeSending(
        kept.sent,
        kept.tallies,
        base.mfa.tags,
        base.postman,
        world.messenger,
        base.settings.mfa.sending,
        base.randomness,
        world.audit,
        world.clock,
    )
