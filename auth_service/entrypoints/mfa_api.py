"""The gRPC face of second factors."""

from typing import Any, TypeAlias

import grpc

from auth_service.application.app import Application
from auth_service.application.commands.forget_devices import ForgetDevice, ForgetDevices
from auth_service.application.queries.list_factors import ListDevices, ListFactors
from auth_service.domain.mfa_requirement import ENROLMENT
from auth_service.entrypoints import mfa_messages as messages
from auth_service.entrypoints.messages import from_issued
from chassis.rpc.context import current_call
from chassis.rpc.server import Guard, RpcServer, ServiceOnly
from protos.auth.v1 import mfa_pb2 as pb
from protos.auth.v1 import mfa_pb2_grpc as grpc_pb

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_SERVICE = "/autoworker.auth.v1.MfaService"
_GATEWAY = ServiceOnly(frozenset({"gateway"}))
_OWN, _ADMIN = ENROLMENT, "users:write"

GUARDS: dict[str, Guard] = {
    f"{_SERVICE}/CompleteLogin": _GATEWAY,
    f"{_SERVICE}/SendLoginCode": _GATEWAY,
    f"{_SERVICE}/StepUp": _OWN,
    f"{_SERVICE}/SendStepUpCode": _OWN,
    f"{_SERVICE}/ListFactors": _OWN,
    f"{_SERVICE}/EnrolTotp": _OWN,
    f"{_SERVICE}/EnrolEmail": _OWN,
    f"{_SERVICE}/EnrolSms": _OWN,
    f"{_SERVICE}/ConfirmFactor": _OWN,
    f"{_SERVICE}/RemoveFactor": _OWN,
    f"{_SERVICE}/RenewRecoveryCodes": _OWN,
    f"{_SERVICE}/ResetFactors": _ADMIN,
    f"{_SERVICE}/ListDevices": _OWN,
    f"{_SERVICE}/ForgetDevice": _OWN,
    f"{_SERVICE}/ForgetDevices": _OWN,
}
"""Who may call what."""


class MfaApi(grpc_pb.MfaServiceServicer):
    """MfaService of protos/auth/v1/mfa.proto."""

    def __init__(self, app: Application) -> None:
        self._mfa = app.mfa

    async def CompleteLogin(  # noqa: N802
        self, request: pb.CompleteLoginRequest, context: _Context
    ) -> pb.CompleteLoginResponse:
        """A login gets its second factor."""
        issued = await self._mfa.complete_login(messages.to_complete_login(request))
        return pb.CompleteLoginResponse(tokens=from_issued(issued))

    async def SendLoginCode(  # noqa: N802
        self, request: pb.SendLoginCodeRequest, context: _Context
    ) -> pb.SendLoginCodeResponse:
        """A code for a login goes out."""
        await self._mfa.send_login_code(messages.to_send_login_code(request))
        return pb.SendLoginCodeResponse()

    async def StepUp(  # noqa: N802
        self, request: pb.StepUpRequest, context: _Context
    ) -> pb.StepUpResponse:
        """The caller proves again who they are."""
        command = messages.to_step_up(request, current_call().principal)
        return messages.from_stepped_up(await self._mfa.step_up(command))

    async def SendStepUpCode(  # noqa: N802
        self, request: pb.SendStepUpCodeRequest, context: _Context
    ) -> pb.SendStepUpCodeResponse:
        """A code for a step-up goes out."""
        command = messages.to_send_step_up_code(request, current_call().principal)
        await self._mfa.send_step_up_code(command)
        return pb.SendStepUpCodeResponse()

    async def ListFactors(  # noqa: N802
        self, request: pb.ListFactorsRequest, context: _Context
    ) -> pb.ListFactorsResponse:
        """The caller's factors."""
        query = ListFactors(messages.session_of(current_call().principal))
        return messages.from_own(await self._mfa.factors(query))

    async def EnrolTotp(  # noqa: N802
        self, request: pb.EnrolTotpRequest, context: _Context
    ) -> pb.EnrolTotpResponse:
        """A seed for an app."""
        command = messages.to_enrol_totp(request, current_call().principal)
        return messages.from_new_totp(await self._mfa.enrol_totp(command))

    async def EnrolEmail(  # noqa: N802
        self, request: pb.EnrolEmailRequest, context: _Context
    ) -> pb.EnrolEmailResponse:
        """Codes by mail."""
        command = messages.to_enrol_email(request, current_call().principal)
        factor = await self._mfa.enrol_email(command)
        return pb.EnrolEmailResponse(factor=messages.from_factor(factor))

    async def EnrolSms(  # noqa: N802
        self, request: pb.EnrolSmsRequest, context: _Context
    ) -> pb.EnrolSmsResponse:
        """Codes by text message."""
        command = messages.to_enrol_sms(request, current_call().principal)
        factor = await self._mfa.enrol_sms(command)
        return pb.EnrolSmsResponse(factor=messages.from_factor(factor))

    async def ConfirmFactor(  # noqa: N802
        self, request: pb.ConfirmFactorRequest, context: _Context
    ) -> pb.ConfirmFactorResponse:
        """The first code of a factor."""
        command = messages.to_confirm(request, current_call().principal)
        return messages.from_confirmed(await self._mfa.confirm(command))

    async def RemoveFactor(  # noqa: N802
        self, request: pb.RemoveFactorRequest, context: _Context
    ) -> pb.RemoveFactorResponse:
        """A factor goes."""
        await self._mfa.remove(messages.to_remove(request, current_call().principal))
        return pb.RemoveFactorResponse()

    async def RenewRecoveryCodes(  # noqa: N802
        self, request: pb.RenewRecoveryCodesRequest, context: _Context
    ) -> pb.RenewRecoveryCodesResponse:
        """New recovery codes."""
        command = messages.to_renew(request, current_call().principal)
        codes = await self._mfa.renew_recovery_codes(command)
        return pb.RenewRecoveryCodesResponse(codes=codes)

    async def ResetFactors(  # noqa: N802
        self, request: pb.ResetFactorsRequest, context: _Context
    ) -> pb.ResetFactorsResponse:
        """An administrator helps somebody who has lost their factors."""
        await self._mfa.reset(messages.to_reset(request, current_call().principal))
        return pb.ResetFactorsResponse()

    async def ListDevices(  # noqa: N802
        self, request: pb.ListDevicesRequest, context: _Context
    ) -> pb.ListDevicesResponse:
        """The caller's remembered devices."""
        caller = current_call().principal
        devices = await self._mfa.devices(ListDevices(caller.tenant, caller.id))
        return pb.ListDevicesResponse(devices=[messages.from_device(each) for each in devices])

    async def ForgetDevice(  # noqa: N802
        self, request: pb.ForgetDeviceRequest, context: _Context
    ) -> pb.ForgetDeviceResponse:
        """A device is forgotten."""
        caller = current_call().principal
        command = ForgetDevice(caller.tenant, caller.id, request.device_id)
        await self._mfa.forget_device(command)
        return pb.ForgetDeviceResponse()

    async def ForgetDevices(  # noqa: N802
        self, request: pb.ForgetDevicesRequest, context: _Context
    ) -> pb.ForgetDevicesResponse:
        """All devices are forgotten."""
        caller = current_call().principal
        await self._mfa.forget_devices(ForgetDevices(caller.tenant, caller.id))
        return pb.ForgetDevicesResponse()


def serve(server: RpcServer, app: Application) -> None:
    """Have *server* offer the use cases of *app*."""
    server.add(grpc_pb.add_MfaServiceServicer_to_server, MfaApi(app))
