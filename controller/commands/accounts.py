"""`user`, `token`, `sip-account`: who may use the system, and how his phone registers."""

from __future__ import annotations

import argparse
import json
import sys

from controller.actions.desks import link_user
from controller.actions.recordings import let_token_hear, let_user_hear
from controller.actions.users import change_password, create_token, create_user, generate_password, revoke_token, set_email
from controller.clock import SystemClock
from controller.commands.opening import Commands, open_database
from controller.errors import NotFound, Refused
from controller.settings import Settings
from controller.storage.desks import linked_operators
from controller.storage.operators import find_operator
from controller.storage.users import list_api_tokens, list_users

ACTING = "command line"


def add_commands(commands: Commands) -> None:
    user = commands.add_parser("user", help="people who log in to the pages").add_subparsers(required=True, metavar="ACTION")
    create = user.add_parser("create", help="add one; the generated password is printed alone on the last line")
    create.add_argument("login")
    create.add_argument("--role", choices=["administrator", "supervisor", "operator"], default="operator")
    create.add_argument("--recordings", action="store_true", help="may hear recordings; administrators always may")
    create.set_defaults(command=_create_user)
    reset = user.add_parser("reset-password", help="a new password, printed alone on the last line")
    reset.add_argument("login")
    reset.set_defaults(command=_reset_password)
    link = user.add_parser("link", help="say which operator's phone is his; without an extension, none")
    link.add_argument("login")
    link.add_argument("extension", nargs="?")
    link.set_defaults(command=_link_user)
    email = user.add_parser("email", help="say where his notices go; without an address, nowhere")
    email.add_argument("login")
    email.add_argument("address", nargs="?")
    email.set_defaults(command=_set_email)
    user.add_parser("list", help="who there is").set_defaults(command=_list_users)

    token = commands.add_parser("token", help="keys of programs that use the API").add_subparsers(required=True, metavar="ACTION")
    create = token.add_parser("create", help="make one; it is printed once, alone on the last line")
    create.add_argument("--name", required=True)
    create.add_argument("--recordings", action="store_true", help="may hear recordings and voicemails")
    create.set_defaults(command=_create_token)
    revoke = token.add_parser("revoke", help="make one invalid")
    revoke.add_argument("--name", required=True)
    revoke.set_defaults(command=_revoke_token)
    token.add_parser("list", help="which there are").set_defaults(command=_list_tokens)

    hearing = commands.add_parser("recordings", help="who may hear recordings and voicemails")
    hearing.add_argument("change", choices=["allow", "forbid"])
    who = hearing.add_mutually_exclusive_group(required=True)
    who.add_argument("--user", metavar="LOGIN")
    who.add_argument("--token", metavar="NAME")
    hearing.set_defaults(command=_let_hear)

    account = commands.add_parser("sip-account", help="how an operator's phone registers, as JSON")
    account.add_argument("extension")
    account.set_defaults(command=_sip_account)


def _create_user(settings: Settings, given: argparse.Namespace) -> int:
    password = generate_password()
    with open_database(settings) as database, database.session() as session:
        at, hears = SystemClock().now(), given.recordings
        create_user(session, given.login, password, given.role, hears_recordings=hears, acting_user=ACTING, at=at)
    print(f"user {given.login} ({given.role}); the password is shown once:", file=sys.stderr)
    print(password)
    return 0


def _reset_password(settings: Settings, given: argparse.Namespace) -> int:
    password = generate_password()
    with open_database(settings) as database, database.session() as session:
        change_password(session, given.login, password, acting_user=ACTING, at=SystemClock().now())
    print(f"new password of {given.login}, shown once:", file=sys.stderr)
    print(password)
    return 0


def _link_user(settings: Settings, given: argparse.Namespace) -> int:
    with open_database(settings) as database, database.session() as session:
        link_user(session, given.login, given.extension, acting_user=ACTING, at=SystemClock().now())
    return 0


def _set_email(settings: Settings, given: argparse.Namespace) -> int:
    with open_database(settings) as database, database.session() as session:
        set_email(session, given.login, given.address, acting_user=ACTING, at=SystemClock().now())
    return 0


def _list_users(settings: Settings, _given: argparse.Namespace) -> int:
    with open_database(settings) as database, database.session(read_only=True) as session:
        linked = linked_operators(session)
        for user in list_users(session):
            phone = f"\tphone {linked[user.id].extension}" if user.id in linked else ""
            email = f"\t{user.email}" if user.email is not None else ""
            print(f"{user.login}\t{user.role}{' (disabled)' if user.disabled else ''}{phone}{email}")
    return 0


def _create_token(settings: Settings, given: argparse.Namespace) -> int:
    with open_database(settings) as database, database.session() as session:
        token = create_token(session, given.name, hears_recordings=given.recordings, acting_user=ACTING, at=SystemClock().now())
    print(f"token {given.name}, shown once; send it as 'Authorization: Bearer …':", file=sys.stderr)
    print(token)
    return 0


def _revoke_token(settings: Settings, given: argparse.Namespace) -> int:
    with open_database(settings) as database, database.session() as session:
        revoke_token(session, given.name, acting_user=ACTING, at=SystemClock().now())
    return 0


def _list_tokens(settings: Settings, _given: argparse.Namespace) -> int:
    with open_database(settings) as database, database.session(read_only=True) as session:
        for token in list_api_tokens(session):
            state = "revoked" if token.revoked_at else f"last used {token.last_used_at or 'never'}"
            print(f"{token.name}\t{state}")
    return 0


def _let_hear(settings: Settings, given: argparse.Namespace) -> int:
    let, whom = (let_user_hear, given.user) if given.user is not None else (let_token_hear, given.token)
    with open_database(settings) as database, database.session() as session:
        let(session, whom, given.change == "allow", acting_user=ACTING, at=SystemClock().now())
    return 0


def _sip_account(settings: Settings, given: argparse.Namespace) -> int:
    with open_database(settings) as database, database.session(read_only=True) as session:
        operator = find_operator(session, given.extension)
        if operator is None:
            raise NotFound(f'there is no operator with the extension "{given.extension}"')
        if operator.call_mode == "browser":
            raise Refused(
                f"operator {given.extension} telephones in the browser, and no SIP phone can register for him meanwhile: "
                "choose another call mode on the page Team, then ask again"
            )
        account = {
            "host": settings.media_address or settings.sip_host,
            "port": settings.sip_port,
            "user": operator.extension,
            "password": operator.sip_secret,
        }
    print(json.dumps(account, indent=2))
    return 0
