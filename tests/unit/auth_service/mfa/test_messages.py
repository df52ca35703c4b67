"""Who may ask for what is personal, and what is told of it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from auth_service.domain.errors import InputInvalid
from auth_service.domain.mfa.factors import Factor, FactorKind
from auth_service.entrypoints import mfa_messages as messages
from chassis.errors import PermissionDenied
from chassis.rpc.context import Principal
from protos.auth.v1 import mfa_pb2 as pb

ADA = Principal("u", "default", "user", session_id="s")
KEY = Principal("u", "default", "user", key_id="k")
CLIENT = Principal("u", "default", "user", session_id="s", client_id="desk")
NOW = datetime(2026, 1, 15, tzinfo=UTC)


def test_people_prove_themselves_and_programs_do_not() -> None:
    request = pb.EnrolTotpRequest()

    assert messages.to_enrol_totp(request, ADA).presence.session_id == "s"
    for program in (KEY, CLIENT):
        with pytest.raises(PermissionDenied):
            messages.to_enrol_totp(request, program)
        with pytest.raises(PermissionDenied):
            messages.to_step_up(pb.StepUpRequest(method="totp", code="123456"), program)


@pytest.mark.parametrize("method", ["", "password", "device", "pwd", "TOTP"])
def test_a_login_is_completed_by_a_code_and_by_nothing_else(method: str) -> None:
    with pytest.raises(InputInvalid):
        messages.to_complete_login(pb.CompleteLoginRequest(method=method, code="123456"))


@pytest.mark.parametrize("method", ["totp", "recovery", "password"])
def test_only_codes_that_are_sent_can_be_sent(method: str) -> None:
    with pytest.raises(InputInvalid):
        messages.to_send_login_code(pb.SendLoginCodeRequest(method=method))


def test_a_factor_is_told_without_its_seed_and_without_the_whole_number() -> None:
    factor = Factor("f", "u", "default", FactorKind.SMS, "+41441234567", NOW, sealed_seed=b"seed")

    told = messages.from_factor(replace(factor, confirmed_at=NOW))

    assert told.target == "+41*******67"
    assert b"seed" not in told.SerializeToString()
    assert "seed" not in repr(factor)
