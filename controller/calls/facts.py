"""What is known of a call when it arrives, and what every call works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from controller.calls.keeping import VoicemailKeeper
from controller.clock import Clock
from controller.ids import CallId, ChannelId
from controller.prompts import PromptLibrary
from controller.recordings.stereo import StereoFinisher
from controller.routing import Distributor
from controller.storage.journal import CallJournal
from controller.telephony.port import Telephony
from ivr.graph import ScenarioBundle


@dataclass(frozen=True, slots=True)
class CallFacts:
    """One call, as it came in. `bundle` is the scenario with those it inserts; `scenario_version` is None for one
    that is not in the database.
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


@dataclass(frozen=True, slots=True)
class CallTools:
    """What calls work with; one object for all of them. `recording_path` gives the path as Asterisk sees it for a path
    relative to the recordings folder; `stereo` completes recordings of two channels, None: they are mixed.
    """

    telephony: Telephony
    distributor: Distributor
    journal: CallJournal
    prompts: PromptLibrary
    clock: Clock
    recording_path: Callable[[PurePosixPath], str]
    voicemails: VoicemailKeeper
    stereo: StereoFinisher | None = None
