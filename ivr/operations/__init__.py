"""The operations there are. A new one is listed here and nowhere else."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from ivr.operations.authorization import Authorization
from ivr.operations.base import Operation
from ivr.operations.callback_offer import CallbackOffer
from ivr.operations.caller_list import CallerList, TagBranch
from ivr.operations.dial_extension import DialExtension
from ivr.operations.forward_to_external import ForwardToExternal
from ivr.operations.forward_to_group import ForwardToGroup
from ivr.operations.hang_up import HangUp
from ivr.operations.http_lookup import HttpLookup
from ivr.operations.info_message import InfoMessage
from ivr.operations.insert_scenario import InsertScenario
from ivr.operations.menu import Menu
from ivr.operations.personal_manager import PersonalManager
from ivr.operations.schedule import Schedule
from ivr.operations.set_language import SetLanguage
from ivr.operations.voicemail import Voicemail

AnyOperation: TypeAlias = Annotated[
    InfoMessage
    | Menu
    | Authorization
    | ForwardToGroup
    | DialExtension
    | PersonalManager
    | ForwardToExternal
    | Voicemail
    | CallbackOffer
    | Schedule
    | CallerList
    | HttpLookup
    | SetLanguage
    | InsertScenario
    | HangUp,
    Field(discriminator="type"),
]
OPERATIONS: tuple[type[Operation], ...] = (
    InfoMessage,
    Menu,
    Authorization,
    ForwardToGroup,
    DialExtension,
    PersonalManager,
    ForwardToExternal,
    Voicemail,
    CallbackOffer,
    Schedule,
    CallerList,
    HttpLookup,
    SetLanguage,
    InsertScenario,
    HangUp,
)

__all__ = [
    "OPERATIONS",
    "AnyOperation",
    "Authorization",
    "CallbackOffer",
    "CallerList",
    "DialExtension",
    "ForwardToExternal",
    "ForwardToGroup",
    "HangUp",
    "HttpLookup",
    "InfoMessage",
    "InsertScenario",
    "Menu",
    "Operation",
    "PersonalManager",
    "Schedule",
    "SetLanguage",
    "TagBranch",
    "Voicemail",
]
