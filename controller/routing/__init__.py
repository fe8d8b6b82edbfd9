"""Who gets which call."""

from __future__ import annotations

from controller.routing.distributor import (
    AbsentRequest,
    Distributor,
    LineRequest,
    OperatorLineEnded,
    SearchEnded,
    SituationChanged,
    TurnCame,
)
from controller.routing.matching import Situation
from controller.routing.people import Employee, FurtherNumber, People
from controller.routing.rules import GroupRule, Number, Person, RoutedOperator, Target

__all__ = [
    "AbsentRequest",
    "Distributor",
    "Employee",
    "FurtherNumber",
    "GroupRule",
    "LineRequest",
    "Number",
    "OperatorLineEnded",
    "People",
    "Person",
    "RoutedOperator",
    "SearchEnded",
    "Situation",
    "SituationChanged",
    "Target",
    "TurnCame",
]
