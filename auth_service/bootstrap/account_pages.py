"""The pages about accounts, put together."""

from auth_service.application.account_pages.forgotten import Forgotten, SubmitForgottenHandler
from auth_service.application.account_pages.links import (
    EmailByPage,
    LinkDesk,
    PasswordByPage,
    ShowLinkPageHandler,
    SubmitLinkPageHandler,
)
from auth_service.application.accounts.confirm_email import ConfirmEmail
from auth_service.application.accounts.request_link import RequestLink
from auth_service.application.accounts.set_password import SetPassword
from auth_service.application.groups.accounts import AccountPageCases, LinkPageCases
from auth_service.application.use_case import UseCase
from auth_service.bootstrap.foundation import Foundation
from auth_service.domain.account import PASSWORD_PURPOSES, Purpose
from chassis.handlers import wrap


def account_pages(
    base: Foundation,
    request_link: UseCase[RequestLink, bool],
    set_password: UseCase[SetPassword, None],
    confirm_email: UseCase[ConfirmEmail, None],
) -> AccountPageCases:
    """Pages for what links are good for, on top of the use cases that use links up."""
    uses = PasswordByPage(set_password), EmailByPage(confirm_email)

    def pages(purpose: Purpose) -> LinkPageCases:
        desk = LinkDesk(purpose, base.stores.accounts, base.randomness, base.world.clock)
        use = uses[0] if purpose in PASSWORD_PURPOSES else uses[1]
        submit = SubmitLinkPageHandler(desk, use, base.world.audit)
        return LinkPageCases(
            show=wrap(ShowLinkPageHandler(desk), name="auth.show_link_page"),
            submit=wrap(submit, name="auth.submit_link_page"),
        )

    forgotten = Forgotten(base.randomness, several=len(base.settings.tenants) > 1)
    return AccountPageCases(
        forgot=wrap(forgotten, name="auth.show_forgot_page"),
        submit_forgot=wrap(
            SubmitForgottenHandler(forgotten, request_link), name="auth.submit_forgot_page"
        ),
        links={purpose: pages(purpose) for purpose in Purpose},
    )
