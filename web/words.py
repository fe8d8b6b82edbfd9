"""Words and icons that people see, in one place, so that pages and the drawing say the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from controller.prompts.announcements import ANNOUNCEMENTS
from controller.prompts.builtin import BUILTIN
from web.call_models import DecisionModel

OPERATION_WORDS: Mapping[str, str] = {
    "info_message": "Information message",
    "menu": "Menu",
    "authorization": "Authorization",
    "forward_to_group": "Forward to group",
    "dial_extension": "Forward to extension",
    "personal_manager": "Forward to personal manager",
    "forward_to_external": "Forward to external number",
    "voicemail": "Voicemail",
    "callback_offer": "Callback offer",
    "schedule": "Schedule",
    "caller_list": "Caller list",
    "http_lookup": "HTTP lookup",
    "set_language": "Set caller language",
    "insert_scenario": "Insert scenario",
    "hang_up": "Hang up",
}


@dataclass(frozen=True, slots=True)
class Wording:
    """A state in words: `tone` is good, bad, live or quiet; `icon` is a name of `templates/_icons.html`."""

    text: str
    icon: str
    tone: str
    hint: str


def exit_words(exit: str) -> str:
    """An exit's name for people: "wait_expired" is shown as "wait expired"."""
    return exit.replace("_", " ")


def operation_words(operation: str) -> str:
    """An operation's name for people."""
    return OPERATION_WORDS.get(operation, operation.replace("_", " ").capitalize())


def number(value: float) -> str:
    """A number for people: without a needless fraction."""
    return f"{value:g}"


def decision_words(decision: DecisionModel) -> str:
    """What decided who is rung, for people."""
    group = f"{decision.target}, {decision.strategy.replace('_', ' ')}, rule {decision.rule_version}"
    return {
        "strategy": group,
        "owner": f"the caller's own operator comes first in {decision.target}",
        "person": f"{decision.target} was wanted",
        "kept": f"kept for the call back in {decision.target}",
    }.get(decision.rule, f"nobody of {group}" if decision.strategy else f"{decision.target} could not be reached")


def duration(seconds: float | None) -> str:
    """A length of time for people: "8.4 s", "1:23", "1:02:03"; a dash for none."""
    if seconds is None:
        return "–"  # noqa: RUF001
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


_OUTCOMES: Mapping[str, Wording] = {
    "live": Wording("Live", "live", "live", "The call is going on"),
    "talked": Wording("Talked", "check", "good", "Talked with an operator"),
    "abandoned": Wording("Abandoned", "missed", "bad", "The caller hung up while waiting for an operator"),
    "ended": Wording("Ended", "end", "quiet", "The call ended in the scenario, without an operator"),
    "refused": Wording("Refused", "blocked", "bad", "The call was never answered"),
    "handed_over": Wording("Handed over", "forward", "quiet", "The call went on in the dialplan"),
    "lost": Wording("Lost", "alert", "bad", "The controller stopped during the call; its end is not known"),
}


def outcome_words(outcome: str) -> Wording:
    """How a call ended, in words."""
    return _OUTCOMES.get(outcome) or Wording(outcome.replace("_", " ").capitalize(), "end", "quiet", outcome)


_LETTERS: Mapping[str, Wording] = {
    "waiting": Wording("Waiting", "schedule", "live", "It will be tried again by itself"),
    "sent": Wording("Sent", "check", "good", "The mail server has taken it"),
    "given_up": Wording("Given up", "alert", "bad", "It is not tried again by itself"),
}


def letter_words(state: str) -> Wording:
    """How a letter is, in words."""
    return _LETTERS[state]


_SCHEDULES: Mapping[str, Wording] = {
    "open": Wording("Open", "check", "good", "Within its hours"),
    "closed": Wording("Closed", "end", "quiet", "Outside of its hours"),
    "holiday": Wording("Holiday", "schedule", "live", "A holiday"),
}


def schedule_words(state: str) -> Wording:
    """How a schedule is at a moment, in words."""
    return _SCHEDULES[state]


_OPERATORS: Mapping[str, Wording] = {
    "offline": Wording("Offline", "blocked", "quiet", "The phone is not registered, or he has logged out"),
    "available": Wording("Available", "check", "good", "The phone is free"),
    "ringing": Wording("Ringing", "phone", "live", "The phone rings"),
    "talking": Wording("Talking", "forward_to_group", "live", "On the phone"),
    "wrap_up": Wording("Wrap-up", "end", "quiet", "Writes up the last call"),
    "do_not_disturb": Wording("Do not disturb", "blocked", "bad", "Takes no calls for a while"),
}


def operator_words(state: str) -> Wording:
    """How an operator's phone is, in words."""
    return _OPERATORS[state]


def prompt_title(written: str, own_titles: Mapping[str, str]) -> str:
    """A prompt in words: "demo-menu:ru" is "Demo: menu (ru)"; one that is not there any more keeps its name."""
    name, _, language = written.partition(":")
    shipped = BUILTIN.get(name) or ANNOUNCEMENTS.get(name)
    title = shipped.title if shipped else own_titles.get(name, name)
    return f"{title} ({language})" if language else title


_BUSY = Wording("Busy", "blocked", "bad", "The phone was busy")
_UNREACHABLE = Wording("Unreachable", "alert", "bad", "The phone was not registered or could not be reached")
_NO_ANSWER = Wording("No answer", "missed", "bad", "It rang and nobody answered")
_DECLINED = Wording("Declined", "blocked", "bad", "The operator declined the call")
_STOPPED = Wording("Stopped", "end", "quiet", "Ringing was stopped: another operator answered, or the caller left")
_BY_STATUS: Mapping[int, Wording] = {
    486: _BUSY,
    600: _BUSY,
    404: _UNREACHABLE,
    503: _UNREACHABLE,
    480: _NO_ANSWER,
    408: _NO_ANSWER,
    603: _DECLINED,
    487: _STOPPED,
}
_BY_CAUSE: Mapping[int, Wording] = {
    17: _BUSY,
    18: _NO_ANSWER,
    19: _NO_ANSWER,
    20: _UNREACHABLE,
    21: _DECLINED,
    3: _UNREACHABLE,
    27: _UNREACHABLE,
    26: _STOPPED,
}


def leg_words(talked: bool, answered: bool, over: bool, sip_status: int | None, cause: int | None) -> Wording:
    """What came of ringing an operator, in words."""
    if talked:
        return (
            Wording("Talked", "check", "good", "Connected with the caller")
            if over
            else Wording("Talking", "live", "live", "Connected with the caller")
        )
    if answered:
        return Wording("Answered", "check", "quiet", "Answered, but was not connected: another was faster, or the caller left")
    if not over:
        return Wording("Ringing", "live", "live", "The phone rings")
    return _BY_STATUS.get(sip_status or 0) or _BY_CAUSE.get(cause or 0) or _STOPPED
