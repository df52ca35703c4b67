"""Second factors at the auth service, over gRPC."""

from chassis.rpc.client import RpcClient
from gateway.adapters.auth_grpc import origin_message, tokens_of
from gateway.adapters.times import moment
from gateway.ports import Caller, Origin, Tokens
from gateway.ports.mfa import ConfirmedFactor, Device, Factor, NewTotp, OwnFactors, SteppedUp
from protos.auth.v1 import mfa_pb2 as pb
from protos.auth.v1.mfa_pb2_grpc import MfaServiceStub


class MfaOverGrpc:
    """Implements the port `Mfa`.

    Args:
        client: an entered client of the auth service.
    """

    def __init__(self, client: RpcClient) -> None:
        self._call = client.call
        self._stub = MfaServiceStub(client.channel)

    async def complete_login(
        self, mfa_token: str, method: str, code: str, *, remember: bool, origin: Origin
    ) -> Tokens:
        """See `Mfa.complete_login`."""
        request = pb.CompleteLoginRequest(
            mfa_token=mfa_token,
            method=method,
            code=code,
            remember_device=remember,
            origin=origin_message(origin),
        )
        response = await self._call(self._stub.CompleteLogin, request)
        return tokens_of(response.tokens)

    async def send_login_code(self, mfa_token: str, method: str) -> None:
        """See `Mfa.send_login_code`."""
        request = pb.SendLoginCodeRequest(mfa_token=mfa_token, method=method)
        await self._call(self._stub.SendLoginCode, request)

    async def step_up(
        self, caller: Caller, method: str, code: str, password: str, origin: Origin
    ) -> SteppedUp:
        """See `Mfa.step_up`."""
        request = pb.StepUpRequest(
            method=method, code=code, password=password, origin=origin_message(origin)
        )
        response = await self._call(self._stub.StepUp, request, token=caller.credential)
        return SteppedUp(
            access_token=response.access_token,
            token_type="Bearer",  # noqa: S106 - a scheme
            expires_in=response.expires_in,
            auth_time=moment(response.auth_time),
            acr=response.acr,
            amr=list(response.amr),
        )

    async def send_step_up_code(self, caller: Caller, method: str) -> None:
        """See `Mfa.send_step_up_code`."""
        request = pb.SendStepUpCodeRequest(method=method)
        await self._call(self._stub.SendStepUpCode, request, token=caller.credential)

    async def factors(self, caller: Caller) -> OwnFactors:
        """See `Mfa.factors`."""
        response = await self._call(
            self._stub.ListFactors, pb.ListFactorsRequest(), token=caller.credential
        )
        items = [_factor(each) for each in response.factors]
        return OwnFactors(items, None, response.recovery_codes_left)

    async def enrol_totp(self, caller: Caller, password: str, origin: Origin) -> NewTotp:
        """See `Mfa.enrol_totp`."""
        request = pb.EnrolTotpRequest(confirmation=confirmation_message(password, origin))
        response = await self._call(self._stub.EnrolTotp, request, token=caller.credential)
        return NewTotp(response.factor.id, response.secret, response.uri)

    async def enrol_email(self, caller: Caller, password: str, origin: Origin) -> Factor:
        """See `Mfa.enrol_email`."""
        request = pb.EnrolEmailRequest(confirmation=confirmation_message(password, origin))
        response = await self._call(self._stub.EnrolEmail, request, token=caller.credential)
        return _factor(response.factor)

    async def enrol_sms(self, caller: Caller, phone: str, password: str, origin: Origin) -> Factor:
        """See `Mfa.enrol_sms`."""
        request = pb.EnrolSmsRequest(
            confirmation=confirmation_message(password, origin), phone=phone
        )
        response = await self._call(self._stub.EnrolSms, request, token=caller.credential)
        return _factor(response.factor)

    async def confirm_factor(self, caller: Caller, kind: str, code: str) -> ConfirmedFactor:
        """See `Mfa.confirm_factor`."""
        request = pb.ConfirmFactorRequest(kind=kind, code=code)
        response = await self._call(self._stub.ConfirmFactor, request, token=caller.credential)
        return ConfirmedFactor(_factor(response.factor), list(response.recovery_codes))

    async def remove_factor(
        self, caller: Caller, factor_id: str, password: str, origin: Origin
    ) -> None:
        """See `Mfa.remove_factor`."""
        request = pb.RemoveFactorRequest(
            confirmation=confirmation_message(password, origin), factor_id=factor_id
        )
        await self._call(self._stub.RemoveFactor, request, token=caller.credential)

    async def renew_recovery_codes(
        self, caller: Caller, password: str, origin: Origin
    ) -> list[str]:
        """See `Mfa.renew_recovery_codes`."""
        request = pb.RenewRecoveryCodesRequest(confirmation=confirmation_message(password, origin))
        response = await self._call(self._stub.RenewRecoveryCodes, request, token=caller.credential)
        return list(response.codes)

    async def reset_factors(
        self, caller: Caller, user_id: str, password: str, origin: Origin
    ) -> None:
        """See `Mfa.reset_factors`."""
        request = pb.ResetFactorsRequest(
            confirmation=confirmation_message(password, origin), user_id=user_id
        )
        await self._call(self._stub.ResetFactors, request, token=caller.credential)

    async def devices(self, caller: Caller) -> list[Device]:
        """See `Mfa.devices`."""
        response = await self._call(
            self._stub.ListDevices, pb.ListDevicesRequest(), token=caller.credential
        )
        return [_device(each) for each in response.devices]

    async def forget_device(self, caller: Caller, device_id: str) -> None:
        """See `Mfa.forget_device`."""
        request = pb.ForgetDeviceRequest(device_id=device_id)
        await self._call(self._stub.ForgetDevice, request, token=caller.credential)

    async def forget_devices(self, caller: Caller) -> None:
        """See `Mfa.forget_devices`."""
        await self._call(
            self._stub.ForgetDevices, pb.ForgetDevicesRequest(), token=caller.credential
        )


def confirmation_message(password: str, origin: Origin) -> pb.Confirmation:
    """What shows that it is the caller, as the auth service takes it."""
    return pb.Confirmation(password=password, origin=origin_message(origin))


def _factor(factor: pb.Factor) -> Factor:
    return Factor(
        id=factor.id,
        kind=factor.kind,
        target=factor.target,
        created_at=moment(factor.created_at),
        last_used_at=moment(factor.last_used_at) if factor.HasField("last_used_at") else None,
    )


def _device(device: pb.Device) -> Device:
    return Device(
        id=device.id,
        address=device.address,
        user_agent=device.user_agent,
        created_at=moment(device.created_at),
        last_used_at=moment(device.last_used_at),
        expires_at=moment(device.expires_at),
    )
