"""Who gets which call."""

from __future__ import annotations

from controller.routing.distributor import Distributor, LineRequest, OperatorLineEnded, SearchEnded
from controller.routing.rules import GroupRule, RoutedOperator

__all__ = ["Distributor", "GroupRule", "LineRequest", "OperatorLineEnded", "RoutedOperator", "SearchEnded"]
