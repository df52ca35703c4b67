"""What an export of personal data is made of: one section for each capability that keeps any."""

from collections.abc import Mapping

from auth_service.application.accounts.export_me import Section
from auth_service.application.ports.audit import AuditFilter
from auth_service.bootstrap.foundation import Foundation
from auth_service.domain.mfa.devices import Device
from auth_service.domain.mfa.factors import Factor

_MOST = 1_000


def sections(base: Foundation) -> Mapping[str, Section]:
    """By their names in the document; never with a secret, a hash or a seed."""
    stores, clock = base.stores, base.world.clock

    async def sessions(tenant: str, user_id: str) -> object:
        return await stores.session_list.page(tenant, user_id, clock.now(), None, _MOST)

    async def places(_: str, user_id: str) -> object:
        return await stores.places.all(user_id)

    async def api_keys(tenant: str, user_id: str) -> object:
        page = await stores.api_keys.list(tenant, user_id, limit=_MOST, cursor=None)
        return page.items

    async def factors(_: str, user_id: str) -> object:
        return [_factor(each) for each in await stores.mfa.factors.confirmed(user_id)]

    async def devices(tenant: str, user_id: str) -> object:
        kept = await stores.mfa.devices.list(tenant, user_id, clock.now())
        return [_device(each) for each in kept]

    async def consents(_: str, user_id: str) -> object:
        return await stores.oauth.consents.of(user_id)

    async def trail(tenant: str, user_id: str) -> object:
        by = AuditFilter(tenant, actor=user_id), AuditFilter(tenant, target=user_id)
        found = [await stores.trail.find(each, before=None, limit=_MOST) for each in by]
        entries = {kept.entry.id: kept.entry for page in found for kept in page}
        return sorted(entries.values(), key=lambda entry: entry.at, reverse=True)

    return {
        "sessions": sessions,
        "login_places": places,
        "api_keys": api_keys,
        "second_factors": factors,
        "remembered_devices": devices,
        "consents": consents,
        "audit": trail,
    }


def _factor(factor: Factor) -> Mapping[str, object]:
    return {
        "id": factor.id,
        "kind": factor.kind.value,
        "target": factor.target,
        "created_at": factor.created_at,
        "confirmed_at": factor.confirmed_at,
        "last_used_at": factor.last_used_at,
    }


def _device(device: Device) -> Mapping[str, object]:
    return {
        "id": device.id,
        "address": device.address,
        "user_agent": device.user_agent,
        "created_at": device.created_at,
        "last_used_at": device.last_used_at,
        "expires_at": device.expires_at,
    }
