"""Translations that hold more than a name."""

import pytest

from auth_service.domain.errors import InputInvalid, SessionOver
from auth_service.entrypoints import messages
from chassis.rpc.context import Principal
from protos.auth.v1 import auth_pb2

ADA = Principal("u", "default", "user", session_id="s")


def test_an_absent_name_is_not_an_empty_one() -> None:
    assert messages.to_update_me(auth_pb2.UpdateMeRequest(), ADA).name is None
    assert messages.to_update_me(auth_pb2.UpdateMeRequest(name=""), ADA).name == ""


def test_an_origin_is_cut_to_length() -> None:
    origin = auth_pb2.Origin(address="1" * 1000, user_agent="x" * 10_000)

    command = messages.to_login(auth_pb2.LoginRequest(email="a", password="b", origin=origin))

    assert (len(command.origin.address), len(command.origin.user_agent)) == (64, 512)


@pytest.mark.parametrize("use", [auth_pb2.KEY_USE_UNSPECIFIED, 77])
def test_a_use_that_does_not_exist_is_refused(use: auth_pb2.KeyUse.ValueType) -> None:
    with pytest.raises(InputInvalid):
        messages.to_get_keys(auth_pb2.GetKeysRequest(use=use))


def test_a_negative_position_is_refused() -> None:
    with pytest.raises(InputInvalid):
        messages.to_watch_revocations(auth_pb2.WatchRevocationsRequest(after=-1))


def test_a_token_without_a_session_is_nobody_s_own() -> None:
    with pytest.raises(SessionOver):
        messages.to_logout(Principal("u", "default", "user"))


def test_whoever_asks_for_an_internal_token_is_who_acts() -> None:
    request = auth_pb2.ExchangeTokenRequest(access_token="t", audience="svc:workflow")

    query = messages.to_exchange_token(request, Principal("gateway", "", "service"))

    assert query.actor == "svc:gateway"
