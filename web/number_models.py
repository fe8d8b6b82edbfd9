"""Numbers as the API gives and takes them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from controller.actions.fields import MOST_DAYS
from controller.actions.numbers import (
    LONGEST_RING,
    LONGEST_SOURCE,
    MOST_ATTEMPTS,
    MOST_CHANNELS,
    MOST_WAIT,
    SHORTEST_RING,
    SHORTEST_WAIT,
    NumberLine,
    NumberSettings,
)
from controller.actions.reachability import Service
from controller.schedules import ZoneMode
from controller.storage.forwarding import NO_FORWARDING, Forwarding, ForwardingMode, ShownNumber
from controller.storage.numbers import NumberView
from controller.storage.trunks import TrunkState
from ivr.lines import LONGEST_WAIT, STANDARD_PROMPTS, LinePrompts
from ivr.prompts import Prompt, PromptRef
from web.forwarding_models import ConfirmationModel, confirmation_model
from web.prompt_models import Language


class LinePromptsModel(BaseModel):
    """What a number's callers hear, each a prompt of the library: "name", or "name:ru"."""

    model_config = ConfigDict(extra="forbid")

    arrival: Prompt | None = Field(STANDARD_PROMPTS.arrival, description="on arrival; null: not used")
    waiting: Prompt = Field(STANDARD_PROMPTS.waiting, description="while the caller waits, over and over")
    all_busy: Prompt = Field(STANDARD_PROMPTS.all_busy, description="in turn with it while all operators are busy")
    no_answer: Prompt = Field(STANDARD_PROMPTS.no_answer, description="when nobody can answer; then the call ends")
    off_hours: Prompt = Field(STANDARD_PROMPTS.off_hours, description="outside of working time; then the call ends")

    def value(self) -> LinePrompts:
        """The same for the action."""
        return LinePrompts(**{slot: getattr(self, slot) for slot in type(self).model_fields})


class ForwardingModel(BaseModel):
    """What becomes of calls that the operators of a group have missed (SKZ-31, SKZ-35, SKZ-36)."""

    model_config = ConfigDict(extra="forbid")

    mode: ForwardingMode = Field(
        "forbidden", description="common: to one phone; own: to the approved phones of those who missed the call"
    )
    number: str | None = Field(None, max_length=40, description="the common phone: one of the confirmed ones")
    wait_seconds: int = Field(NO_FORWARDING.wait_seconds, ge=SHORTEST_RING, le=LONGEST_RING, description="how long a phone rings")
    attempts: int = Field(NO_FORWARDING.attempts, ge=1, le=MOST_ATTEMPTS, description="how often each is rung")
    shows: ShownNumber = Field("caller", description="what it sees: the caller's number, or the one that he called")

    def value(self) -> Forwarding:
        """The same for the action."""
        return Forwarding(self.mode, self.number, self.wait_seconds, self.attempts, self.shows)


class NumberSettingsModel(BaseModel):
    """What serves a number's callers. Scenarios, schedule and group are named; null is none."""

    model_config = ConfigDict(extra="forbid")

    language: Language | None = Field(None, description="null: the installation's")
    schedule: str | None = Field(None, max_length=64, description="its working time; null: always")
    scenario: str | None = Field(None, max_length=64, description="serves in working time, once it is published")
    off_hours_scenario: str | None = Field(None, max_length=64, description="serves outside of working time; null: the prompt")
    group: str | None = Field(None, max_length=64, description="answers in working time where there is no scenario")
    longest_wait: int = Field(LONGEST_WAIT, ge=SHORTEST_WAIT, le=MOST_WAIT, description="seconds in the group's line")
    prompts: LinePromptsModel = Field(default_factory=LinePromptsModel)
    forwarding: ForwardingModel = Field(default_factory=ForwardingModel)
    responsible: str | None = Field(
        None, max_length=64, description="login of who is told of calls missed off-hours or while no operator is there"
    )
    recordings_days: int | None = Field(
        None,
        ge=1,
        le=MOST_DAYS,
        description="days that recordings of its calls are kept; null: as its campaign's or the installation's",
    )

    def settings(self) -> NumberSettings:
        """The same for the action."""
        return NumberSettings(
            self.language,
            self.scenario,
            self.off_hours_scenario,
            self.schedule,
            self.group,
            self.longest_wait,
            self.prompts.value(),
            self.forwarding.value(),
            self.responsible,
            self.recordings_days,
        )


class NumberChange(NumberSettingsModel):
    """A number to be stored."""

    number: str = Field(min_length=1, max_length=21, description="what callers dial: digits, perhaps with a + before them")
    line_name: str | None = Field(
        None,
        min_length=1,
        max_length=64,
        description="shown to operators with the caller; null: as it was, of a new number by ATTENDANT_LINE_NAME_TEMPLATE",
    )
    channels: int | None = Field(None, ge=1, le=MOST_CHANNELS, description="calls of both directions at once; null: any number")
    incoming: bool = Field(True, description="false: its callers are refused")
    outgoing: bool = Field(True, description="false: it is never shown to whom we call")
    source: str = Field("", max_length=LONGEST_SOURCE, description="label of its calls, in the history and in the API")
    trunk: str | None = Field(
        None, max_length=64, description="brings its calls, and shows it to those who are called through it"
    )

    def line(self) -> NumberLine:
        """The calls that it takes, for the action."""
        return NumberLine(self.channels, self.incoming, self.outgoing, self.source, self.trunk)


class NumberModel(NumberChange):
    """A number of ours."""

    id: int
    line_name: str
    confirmation: ConfirmationModel = Field(description="it is shown to those who are called while this is valid")


class NumberList(BaseModel):
    """All numbers, by number."""

    numbers: list[NumberModel]


class ServingModel(BaseModel):
    """What would serve a caller."""

    by: Service
    name: str = Field(description="of the scenario, the group or the campaign; empty: it has none")


class BringingTrunkModel(BaseModel):
    """A trunk that could bring a number's calls."""

    id: int
    name: str
    state: TrunkState


class ReachabilityModel(BaseModel):
    """Whether callers reach a number (LNR-3)."""

    serving: ServingModel = Field(description="what would serve a caller now")
    clock: ZoneMode | None = Field(
        description="whose clock its working time goes by; not by a fixed one: as in working time; null: it has no schedule"
    )
    trunks: list[BringingTrunkModel] = Field(description="connected ones that take its calls; none: nothing brings them")
    last_call_at: datetime | None = Field(description="when somebody called last; null: never")


def number_model(view: NumberView, at: datetime) -> NumberModel:
    """One number at a moment."""
    row, prompts = view.row, LinePrompts.read(view.row.prompts)
    slots: dict[str, PromptRef | None] = {slot: prompt for slot, prompt in prompts.by_slot().items()}
    return NumberModel(
        id=row.id,
        number=row.number,
        line_name=row.line_name,
        language=row.language,
        schedule=view.schedule,
        scenario=view.scenario,
        off_hours_scenario=view.off_hours_scenario,
        group=view.group,
        longest_wait=row.longest_wait,
        channels=row.channels,
        incoming=row.incoming,
        outgoing=row.outgoing,
        source=row.source,
        trunk=view.trunk,
        prompts=LinePromptsModel.model_validate(slots),
        forwarding=ForwardingModel.model_validate(Forwarding.read(row.forwarding).written()),
        responsible=view.responsible,
        confirmation=confirmation_model(row, at),
        recordings_days=row.recordings_days,
    )
