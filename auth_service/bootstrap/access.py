"""Roles: what they give, and who has them."""

from auth_service.application.attended import Attended
from auth_service.application.commands.assign_roles import AssignRolesHandler
from auth_service.application.commands.delete_role import DeleteRoleHandler
from auth_service.application.commands.put_role import PutRoleHandler
from auth_service.application.escalation import EscalationTold
from auth_service.application.groups.access import Access
from auth_service.application.queries.get_roles import GetRolesHandler, GetUserRolesHandler
from auth_service.bootstrap.foundation import Foundation
from chassis.handlers import wrap


def use_cases(base: Foundation) -> Access:
    """All of them."""
    there = base.presence
    users, roles, books, live = base.stores.users, base.stores.roles, base.books, base.live
    policy, audit, clock = base.settings.sessions, base.world.audit, base.world.clock
    put = EscalationTold(
        PutRoleHandler(roles, books, live, policy, audit, clock), audit, lambda it: it.role.name
    )
    delete = EscalationTold(
        DeleteRoleHandler(roles, books, live, policy, audit, clock), audit, lambda it: it.name
    )
    assign = EscalationTold(
        AssignRolesHandler(users, roles, books, live, policy, audit, clock),
        audit,
        lambda it: it.user_id,
    )
    return Access(
        put_role=wrap(Attended(put, there, lambda it: it.actor.presence), name="auth.put_role"),
        delete_role=wrap(delete, name="auth.delete_role"),
        assign_roles=wrap(
            Attended(assign, there, lambda it: it.actor.presence), name="auth.assign_roles"
        ),
        get_roles=wrap(GetRolesHandler(books), name="auth.get_roles"),
        get_user_roles=wrap(GetUserRolesHandler(users, books), name="auth.get_user_roles"),
    )
