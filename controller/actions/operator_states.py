"""What operators set: log in and out, do not disturb. By their phones' keys and by the API alike."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from controller.actions.fields import checked_name, invalid
from controller.errors import NotFound, Refused
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.operator_states import OperatorSwitches, Wish, put_switches
from controller.storage.operators import find_operator

LONGEST_REASON: Final = 64


def choose_state(
    session: Session, extension: str, wish: Wish, reason: str = "", *, acting_user: str, at: datetime
) -> OperatorSwitches:
    """An operator is from now on: "available" logs him in and ends do not disturb, "offline" logs him out, "do_not_disturb" logs
    him in and keeps calls away.

    Raises NotFound; InvalidInput: a bad reason, or one for another state; Refused: he does not work with inbound calls, so
    there is nothing to be undisturbed by (SKZ-63).
    """
    operator = find_operator(session, extension)
    if operator is None:
        raise NotFound(f"there is no operator {extension}")
    if reason and wish != "do_not_disturb":
        raise invalid("reason", "only do_not_disturb has one")
    reason = checked_name("reason", reason, LONGEST_REASON) if reason else ""
    if wish == "do_not_disturb" and not operator.inbound:
        raise Refused(f"operator {extension} takes no inbound calls: he has no do not disturb")
    switches = OperatorSwitches(
        operator_id=operator.id,
        logged_in=wish != "offline",
        do_not_disturb=wish == "do_not_disturb",
        reason=reason,
        changed_at=at,
        changed_by=acting_user,
    )
    put_switches(session, switches)
    add_audit(session, at, acting_user, "operator.state", f"operator {extension}", state=wish, reason=reason)
    return switches
