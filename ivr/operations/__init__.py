"""The operations there are. A new one is listed here and nowhere else."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from ivr.operations.base import Operation
from ivr.operations.forward_to_group import ForwardToGroup
from ivr.operations.hang_up import HangUp
from ivr.operations.info_message import InfoMessage
from ivr.operations.menu import Menu

AnyOperation: TypeAlias = Annotated[InfoMessage | Menu | ForwardToGroup | HangUp, Field(discriminator="type")]
OPERATIONS: tuple[type[Operation], ...] = (InfoMessage, Menu, ForwardToGroup, HangUp)

__all__ = ["OPERATIONS", "AnyOperation", "ForwardToGroup", "HangUp", "InfoMessage", "Menu", "Operation"]
