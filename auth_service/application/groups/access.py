"""Roles: what they give, and who has them."""

from collections.abc import Sequence
from dataclasses import dataclass

from auth_service.application.commands.assign_roles import AssignRoles
from auth_service.application.commands.delete_role import DeleteRole
from auth_service.application.commands.put_role import PutRole, RolePut
from auth_service.application.profiles import UserRoles
from auth_service.application.queries.get_roles import GetRoles, GetUserRoles, RoleShown
from auth_service.application.use_case import UseCase


@dataclass(frozen=True, slots=True)
class Access:
    """Who may do what."""

    put_role: UseCase[PutRole, RolePut]
    delete_role: UseCase[DeleteRole, None]
    assign_roles: UseCase[AssignRoles, UserRoles]
    get_roles: UseCase[GetRoles, Sequence[RoleShown]]
    get_user_roles: UseCase[GetUserRoles, UserRoles]
