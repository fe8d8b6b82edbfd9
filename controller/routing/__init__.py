"""Who gets which call."""

from __future__ import annotations

from controller.routing.distributor import Distributor
from controller.routing.forwarding import OutsidePhone, OutsidePhones
from controller.routing.history import PastWork
from controller.routing.lines import AllInUse, Arrival, NumberLines, OutgoingOff, OwnNumber
from controller.routing.matching import Situation
from controller.routing.people import Employee, FurtherNumber, People
from controller.routing.requests import (
    AbsentRequest,
    HandedOver,
    KeepRequest,
    Kept,
    LineRequest,
    OperatorLineEnded,
    Outlook,
    PickedUp,
    PickUpRequest,
    SearchEnded,
    SituationChanged,
    TurnCame,
)
from controller.routing.rules import SHORTEST_CONVERSATION, GroupRule, Number, Person, RoutedOperator, Target, trunk_of
from controller.routing.transfer_targets import TransferTargets

__all__ = [
    "SHORTEST_CONVERSATION",
    "AbsentRequest",
    "AllInUse",
    "Arrival",
    "Distributor",
    "Employee",
    "FurtherNumber",
    "GroupRule",
    "HandedOver",
    "KeepRequest",
    "Kept",
    "LineRequest",
    "Number",
    "NumberLines",
    "OperatorLineEnded",
    "OutgoingOff",
    "Outlook",
    "OutsidePhone",
    "OutsidePhones",
    "OwnNumber",
    "PastWork",
    "People",
    "Person",
    "PickUpRequest",
    "PickedUp",
    "RoutedOperator",
    "SearchEnded",
    "Situation",
    "SituationChanged",
    "Target",
    "TransferTargets",
    "TurnCame",
    "trunk_of",
]
