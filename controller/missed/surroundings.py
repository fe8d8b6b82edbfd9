"""What is known around calls that are over, beyond their own records: looked up for many of them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from controller.addresses import phone_number
from controller.missed.judging import came_to_voicemail, first_offered, may_be_missed
from controller.storage import Session
from controller.storage.callbacks import concerned_by_callbacks
from controller.storage.calls import CallDetail, RoutingDecision, decisions_of
from controller.storage.contacts import names_of_callers
from controller.storage.numbers import InboundNumber, numbers_called
from controller.storage.operators import Operator, operators_with
from controller.storage.voicemails import left_in_calls


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`numbers` are the callers' in the form in which numbers are compared, by call; `voicemails` and `callbacks` the calls that
    left one and that concern one; `decisions` those of calls that were offered to nobody, `names` the contacts', by the number
    as it was given.
    """

    numbers: Mapping[str, str | None]
    voicemails: AbstractSet[str]
    callbacks: AbstractSet[str]
    decisions: Mapping[str, Sequence[RoutingDecision]]
    operators: Mapping[str, Operator]
    lines: Mapping[str, InboundNumber]
    names: Mapping[str, str]


def surroundings_of(session: Session, calls: Sequence[CallDetail], region: str | None) -> Surroundings:
    """One query for each kind of fact, however many calls; `region` is as for `controller.addresses.phone_number`."""
    unoffered = [one.call.id for one in calls if may_be_missed(one) and first_offered(one) is None]
    callers = {one.call.caller_number for one in calls}
    numbers = {one.call.id: phone_number(one.call.caller_number, region) for one in calls}
    rung = {leg.operator_extension for leg in map(first_offered, calls) if leg is not None}
    return Surroundings(
        numbers,
        left_in_calls(session, [one.call.id for one in calls if came_to_voicemail(one)]),
        concerned_by_callbacks(session, numbers),
        decisions_of(session, unoffered),
        operators_with(session, callers | rung),
        numbers_called(session, {one.call.called_number for one in calls}),
        names_of_callers(session, callers, region),
    )
