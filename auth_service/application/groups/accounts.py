"""Accounts, by their owners and by administrators."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from auth_service.application.accounts.change_email import ChangeEmail
from auth_service.application.accounts.change_password import ChangePassword
from auth_service.application.accounts.confirm_email import ConfirmEmail
from auth_service.application.accounts.create_user import CreateUser
from auth_service.application.accounts.end_sessions import (
    EndAllSessions,
    EndSession,
    EndUserSessions,
)
from auth_service.application.accounts.export_me import ExportMe
from auth_service.application.accounts.find_users import GetUser, ListUsers
from auth_service.application.accounts.leave import DeactivateMe, DeleteMe, DeleteUser, SetActive
from auth_service.application.accounts.list_sessions import ListSessions
from auth_service.application.accounts.paging import Page
from auth_service.application.accounts.request_link import RequestLink
from auth_service.application.accounts.set_password import SetPassword
from auth_service.application.accounts.update_user import UpdateUser
from auth_service.application.oauth.browsing import Reaction, Visit
from auth_service.application.ports.accounts import SessionRecord
from auth_service.application.use_case import UseCase
from auth_service.domain.account import Purpose
from auth_service.domain.user import User


@dataclass(frozen=True, slots=True)
class LinkPageCases:
    """The page that a link leads to."""

    show: UseCase[Visit, Reaction]
    submit: UseCase[Visit, Reaction]


@dataclass(frozen=True, slots=True)
class AccountPageCases:
    """What browsers ask about accounts."""

    forgot: UseCase[Visit, Reaction]
    submit_forgot: UseCase[Visit, Reaction]
    links: Mapping[Purpose, LinkPageCases]


@dataclass(frozen=True, slots=True)
class AccountCases:
    """Passwords, addresses, sessions; deactivation, deletion, export."""

    request_link: UseCase[RequestLink, bool]
    set_password: UseCase[SetPassword, None]
    confirm_email: UseCase[ConfirmEmail, None]
    change_password: UseCase[ChangePassword, None]
    change_email: UseCase[ChangeEmail, None]
    list_sessions: UseCase[ListSessions, Page[SessionRecord]]
    end_session: UseCase[EndSession, None]
    end_all_sessions: UseCase[EndAllSessions, int]
    end_user_sessions: UseCase[EndUserSessions, int]
    deactivate_me: UseCase[DeactivateMe, None]
    delete_me: UseCase[DeleteMe, None]
    export_me: UseCase[ExportMe, bytes]
    list_users: UseCase[ListUsers, Page[User]]
    get_user: UseCase[GetUser, User]
    create_user: UseCase[CreateUser, User]
    update_user: UseCase[UpdateUser, User]
    set_active: UseCase[SetActive, User]
    delete_user: UseCase[DeleteUser, None]
    flush_sightings: Callable[[], Awaitable[None]]
    pages: AccountPageCases
