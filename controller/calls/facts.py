"""What is known of a call when it arrives, and what every call works with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import PurePosixPath
from typing import TypeAlias

from controller.bus import Bus
from controller.calls.client_lines import ClientLine
from controller.calls.codes import DeskRules
from controller.calls.keeping import VoicemailKeeper
from controller.clock import Clock
from controller.ids import CallId, ChannelId
from controller.lookups import LookupClient
from controller.presence import PresenceTracker
from controller.prompts import PromptLibrary
from controller.recordings.stereo import StereoFinisher
from controller.recordings.writing import WrittenCheck
from controller.routing import Distributor, NumberLines, People, SearchEnded
from controller.schedules import State, WorkingTime
from controller.storage.calls import Direction
from controller.storage.campaigns import CampaignView
from controller.storage.database import Database
from controller.storage.forwarding import NO_FORWARDING, Forwarding
from controller.storage.journal import CallJournal
from controller.storage.operator_states import Wish
from controller.telephony.port import Telephony
from ivr.graph import ScenarioBundle
from ivr.lines import STANDARD_PROMPTS, LinePrompts


@dataclass(frozen=True, slots=True)
class CallFacts:
    """One call, as it came in. `bundle` is the scenario with those it inserts; `scenario_version` is None for one
    that is not in the database, `inserted_versions` are those of the inserted ones by name; `schedule` names the number's own
    schedule, `line_prompts` are its own prompts, `source` its label, `forwarding` says what becomes of its missed calls,
    `campaign` is its campaign, `hours` how its schedule stood, as it was when the call came in. `working_time` is what decides
    by operators' own clocks who is offered the call. `met` is who is on the line already when somebody is searched for the
    first time: he asked for this call.
    `client_line` is the line to the caller where it is we who have called him. `number_hidden`: he is a lead of a campaign that
    hides numbers, whichever number of ours he called.
    """

    call: CallId
    channel: ChannelId
    arrived_at: datetime
    caller_number: str
    caller_name: str
    called_number: str
    line_name: str
    language: str
    bundle: ScenarioBundle
    scenario_version: int | None
    inserted_versions: Mapping[str, int] = field(default_factory=dict)
    schedule: str | None = None
    line_prompts: LinePrompts = STANDARD_PROMPTS
    forwarding: Forwarding = NO_FORWARDING
    direction: Direction = "inbound"
    source: str = ""
    met: SearchEnded | None = None
    campaign: CampaignView | None = None
    client_line: ClientLine | None = None
    working_time: WorkingTime | None = None
    number_hidden: bool = False
    hours: State | None = None

    @property
    def came_in_on(self) -> str:
        """The number of ours that who is on the line has called; none where one of us has called somebody."""
        return self.called_number if self.direction == "inbound" else ""

    @property
    def hides_number(self) -> bool:
        """Operators are shown no digit of the caller's number, on no phone (LNR-11)."""
        return self.number_hidden or (self.campaign is not None and self.campaign.hide_numbers)

    @property
    def shown(self) -> tuple[str, str]:
        """The number and name that tell operators' phones of the call: the called number's in the place of a hidden one."""
        if self.hides_number:
            return self.called_number, self.line_name
        return self.caller_number, f"{self.line_name} {self.caller_name}".strip()


ChooseState: TypeAlias = Callable[[str, Wish, str], Awaitable[None]]
"""Sets an operator's state, with a reason, as he chose on his phone; raises as `actions.operator_states.choose_state`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTools:
    """What calls work with; one object for all of them. `recording_path` gives the path as Asterisk sees it for a path
    relative to the recordings folder; `zone` and `region` are the installation's (see settings); `written` looks whether
    recordings are there; `stereo` completes those of two channels, None: they are mixed.
    """

    telephony: Telephony
    distributor: Distributor
    journal: CallJournal
    prompts: PromptLibrary
    clock: Clock
    recording_path: Callable[[PurePosixPath], str]
    voicemails: VoicemailKeeper
    database: Database
    people: People
    lines: NumberLines
    region: str | None
    lookups: LookupClient
    zone: tzinfo
    bus: Bus
    presence: PresenceTracker
    desk: DeskRules
    choose_state: ChooseState
    written: WrittenCheck
    stereo: StereoFinisher | None = None

    def why_not_at_his_phone(self, extension: str) -> str | None:
        """What to say of an operator who can't be rung at his own phone now; None: he can. One who is kept for a call that rings
        elsewhere, or of whom a caller is about to be told, is available as far as his phone knows.
        """
        state = self.presence.states.get(extension, "offline")
        if state != "available":
            return f"he is {state.replace('_', ' ')}"
        return "another call is being put through to him" if extension in self.distributor.engaged else None

    def outside_device(self, number: str) -> str | None:
        """What `Telephony.dial` takes for a number outside; None (and a line in the log) when it can't be dialled now."""
        return self.people.outside_device(number)
