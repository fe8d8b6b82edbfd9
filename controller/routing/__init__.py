"""Who gets which call."""

from __future__ import annotations

from controller.routing.distributor import (
    AbsentRequest,
    Distributor,
    HandedOver,
    LineRequest,
    OperatorLineEnded,
    Outlook,
    PickedUp,
    PickUpRequest,
    SearchEnded,
    SituationChanged,
    TurnCame,
)
from controller.routing.history import PastWork
from controller.routing.matching import Situation
from controller.routing.people import Employee, FurtherNumber, People
from controller.routing.rules import SHORTEST_CONVERSATION, GroupRule, Number, Person, RoutedOperator, Target
from controller.routing.transfer_targets import TransferTargets

__all__ = [
    "SHORTEST_CONVERSATION",
    "AbsentRequest",
    "Distributor",
    "Employee",
    "FurtherNumber",
    "GroupRule",
    "HandedOver",
    "LineRequest",
    "Number",
    "OperatorLineEnded",
    "Outlook",
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
]
