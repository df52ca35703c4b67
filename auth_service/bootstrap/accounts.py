"""Accounts, put together."""

from auth_service.application.accounts.change_email import ChangeEmailHandler
from auth_service.application.accounts.change_password import ChangePasswordHandler
from auth_service.application.accounts.confirm_email import ConfirmEmailHandler
from auth_service.application.accounts.create_user import CreateUserHandler
from auth_service.application.accounts.end_sessions import (
    EndAllSessionsHandler,
    EndSessionHandler,
    EndUserSessionsHandler,
)
from auth_service.application.accounts.export_me import ExportMeHandler
from auth_service.application.accounts.find_users import GetUserHandler, ListUsersHandler
from auth_service.application.accounts.leave import (
    DeactivateMeHandler,
    DeleteMeHandler,
    DeleteUserHandler,
    SetActiveHandler,
)
from auth_service.application.accounts.list_sessions import ListSessionsHandler
from auth_service.application.accounts.request_link import RequestLinkHandler
from auth_service.application.accounts.seniority import Seniority
from auth_service.application.accounts.set_password import SetPasswordHandler
from auth_service.application.accounts.update_user import UpdateUserHandler
from auth_service.application.attended import Attended
from auth_service.application.groups.accounts import AccountCases
from auth_service.application.newcomers import Newcomers
from auth_service.bootstrap.account_pages import account_pages
from auth_service.bootstrap.export import sections
from auth_service.bootstrap.foundation import Foundation
from chassis.handlers import wrap


def accounts(base: Foundation) -> AccountCases:
    """Everything about accounts."""
    stores, world, desk, recent = base.stores, base.world, base.desk, base.presence
    users, clock, policy = stores.users, world.clock, base.settings.passwords
    requests = base.mail_requests
    newcomers = Newcomers(users, world.hasher, policy, clock, world.ids)
    change_password = ChangePasswordHandler(desk, recent, world.hasher, policy)
    set_password = wrap(
        SetPasswordHandler(users, desk, world.hasher, policy), name="auth.set_password"
    )
    confirm_email = wrap(ConfirmEmailHandler(users, desk), name="auth.confirm_email")
    request_link = wrap(
        RequestLinkHandler(users, requests, desk, world.carrier), name="auth.request_link"
    )
    sessions = ListSessionsHandler(stores.session_list, base.sightings, clock)
    export = ExportMeHandler(users, recent, sections(base), world.audit, clock)
    seniority = Seniority(users, base.rights, world.audit)
    update, delete = UpdateUserHandler(seniority, desk), DeleteUserHandler(seniority, desk)
    create = CreateUserHandler(newcomers, world.carrier, desk)
    end_all = EndAllSessionsHandler(stores.session_list, desk)
    return AccountCases(
        request_link=request_link,
        set_password=set_password,
        confirm_email=confirm_email,
        change_password=wrap(change_password, name="auth.change_password"),
        change_email=wrap(
            ChangeEmailHandler(users, requests, recent, desk), name="auth.change_email"
        ),
        list_sessions=wrap(sessions, name="auth.list_sessions"),
        end_session=wrap(EndSessionHandler(stores.sessions, desk), name="auth.end_session"),
        end_all_sessions=wrap(end_all, name="auth.end_all_sessions"),
        end_user_sessions=wrap(
            EndUserSessionsHandler(seniority, end_all), name="auth.end_user_sessions"
        ),
        deactivate_me=wrap(DeactivateMeHandler(recent, desk), name="auth.deactivate_me"),
        delete_me=wrap(DeleteMeHandler(recent, desk), name="auth.delete_me"),
        export_me=wrap(export, name="auth.export_me"),
        list_users=wrap(ListUsersHandler(stores.accounts), name="auth.list_users"),
        get_user=wrap(GetUserHandler(users), name="auth.get_user"),
        create_user=wrap(create, name="auth.create_user"),
        update_user=wrap(
            Attended(update, recent, lambda it: it.actor.presence), name="auth.update_user"
        ),
        set_active=wrap(SetActiveHandler(seniority, desk), name="auth.set_active"),
        delete_user=wrap(
            Attended(delete, recent, lambda it: it.actor.presence), name="auth.delete_user"
        ),
        flush_sightings=base.sightings.flush,
        pages=account_pages(base, request_link, set_password, confirm_email),
    )
