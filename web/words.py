"""Words and icons that people see, in one place, so that pages and the drawing say the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from controller.prompts.announcements import ANNOUNCEMENTS
from controller.prompts.builtin import BUILTIN
from controller.storage.operators import CallMode
from web.call_models import DecisionModel
from web.people_models import TrunkModel

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

STRATEGY_WORDS: Mapping[str, tuple[str, str]] = {
    "ring_all": ("All at once", "The phones of all who are free ring; who answers first has the call."),
    "linear": ("In order", "The first of the order, then the next; each call starts from the first."),
    "random": ("Random", "Anybody, each as likely as the other."),
    "weighted_random": ("Random by weight", "Anybody; one of weight 3 comes first three times as often as one of weight 1."),
    "longest_idle": ("Most free", "Whose last conversation ended longest ago; before them who has had none yet."),
    "round_robin": ("In turn", "The next of the order after the one who was offered a call of this group last."),
    "fewest_calls": ("Fewest calls", "Who has had the fewest conversations today; among equals the most free."),
    "levels": ("Levels", "The lowest level first, the next one when nobody of it is free and left."),
}
"""Title and explanation of each strategy."""


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


def strategy_words(strategy: str) -> str:
    """A strategy's name within a sentence."""
    title, _ = STRATEGY_WORDS.get(strategy, (strategy, ""))
    return title.lower()


def number(value: float) -> str:
    """A number for people: without a needless fraction."""
    return f"{value:g}"


def decision_words(decision: DecisionModel) -> str:
    """What decided who is rung, for people."""
    group = f"{decision.target}, {strategy_words(decision.strategy)}, rule {decision.rule_version}"
    return {
        "strategy": group,
        "owner": f"the caller's own operator comes first in {decision.target}",
        "person": f"{decision.target} was wanted",
        "kept": f"kept for the call back in {decision.target}",
        "forwarded": f"nobody took it: forwarded to {decision.target}",
        "picked_up": f"picked up while it rang at {', '.join(left.extension for left in decision.left_out)}",
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


_MISSED: Mapping[str, Wording] = {
    "working_time": Wording("Working time", "missed", "bad", "It came in working time, and nobody took it"),
    "off_hours": Wording("Off-hours", "schedule", "quiet", "It came outside of working time"),
    "nobody_present": Wording("Nobody there", "blocked", "bad", "It came in working time, when no operator was there"),
    "open": Wording("Open", "missed", "live", "Nobody has dealt with it"),
    "called_back": Wording("Called back", "phone", "good", "Somebody has spoken with this number since"),
    "done": Wording("Done", "check", "good", "Somebody has dealt with it"),
}


def missed_words(state: str) -> Wording:
    """How a call was missed, or what became of it, in words."""
    return _MISSED[state]


_SCHEDULES: Mapping[str, Wording] = {
    "open": Wording("Open", "check", "good", "Within its hours"),
    "closed": Wording("Closed", "end", "quiet", "Outside of its hours"),
    "holiday": Wording("Holiday", "schedule", "live", "A holiday"),
}


def schedule_words(state: str) -> Wording:
    """How a schedule is at a moment, in words."""
    return _SCHEDULES[state]


_CONFIRMATIONS: Mapping[str, Wording] = {
    "unconfirmed": Wording("Not confirmed", "alert", "bad", "Nobody has typed the code yet"),
    "confirmed": Wording("Confirmed", "check", "good", "The number is ours"),
    "expired": Wording("Expired", "alert", "bad", "It is not used until it is confirmed again"),
}
_APPROVALS: Mapping[str, Wording] = {
    "none": Wording("No request yet", "end", "quiet", "The operator has not confirmed the number"),
    "requested": Wording("Waits for approval", "schedule", "live", "An administrator decides whether calls are forwarded to it"),
    "approved": Wording("Approved", "check", "good", "Missed calls are forwarded to it while it is confirmed"),
    "refused": Wording("Refused", "blocked", "bad", "An administrator has refused it: nothing is forwarded to it"),
}


def confirmation_words(state: str) -> Wording:
    """How the confirmation of a phone's number is, in words."""
    return _CONFIRMATIONS[state]


def approval_words(approval: str) -> Wording:
    """What administrators say of an operator's own phone, in words."""
    return _APPROVALS[approval]


_OPERATORS: Mapping[str, Wording] = {
    "offline": Wording("Offline", "blocked", "quiet", "The phone is not registered, or he has logged out"),
    "available": Wording("Available", "check", "good", "The phone is free"),
    "ringing": Wording("Ringing", "phone", "live", "The phone rings"),
    "talking": Wording("Talking", "forward_to_group", "live", "On the phone"),
    "wrap_up": Wording("Wrap-up", "end", "quiet", "Writes up the last call"),
    "do_not_disturb": Wording("Do not disturb", "blocked", "bad", "Takes no calls for a while"),
}


CALL_MODE_WORDS: Mapping[CallMode, tuple[str, str]] = {
    "sip_phone": ("SIP phone", "A telephone or program with the SIP account."),
    "browser": ("This browser", "The page My desk is the telephone: keep it open."),
    "own_number": (
        "Own number",
        "Calls that you ask for ring the first of your further numbers, and then the client. Others ring the SIP phone.",
    ),
}
"""What operators telephone with: its name and what it means (SKZ-72)."""


def operator_words(state: str) -> Wording:
    """How an operator's phone is, in words."""
    return _OPERATORS[state]


def trunk_words(trunk: TrunkModel) -> Wording:
    """How a trunk is, in words; the hint says what to do about it."""
    place = f"{trunk.host}, port {trunk.port} ({trunk.transport.upper()})"
    match trunk.state:
        case "ready" if trunk.registers:
            return Wording("Registered", "check", "good", "The registration was successful: calls go through it.")
        case "ready":
            return Wording("Ready", "check", "good", "It responds: calls go through it.")
        case "absent":
            hint = f"Nothing responds at {place}. Check the address, the port and firewalls. It is asked again every 10 seconds."
            return Wording("No response", "alert", "bad", hint)
        case "not_registered":
            hint = (
                f"{place} responds, and does not let us register. Check login, password and domain. It is tried every 30 seconds."
            )
            return Wording("Not registered", "alert", "bad", hint)
        case "no_secret":
            hint = "It came with a set-up, which holds no passwords. Set its password here; no calls go through it until then."
            return Wording("Password missing", "alert", "bad", hint)
        case "disabled":
            hint = "No calls go through it, and none of its calls are taken. Calls outside need another trunk, or this one again."
            return Wording("Disconnected", "blocked", "quiet", hint)
        case "unknown":
            hint = "Asterisk can't be asked now. The foot of the page says how it is."
            return Wording("Not known", "end", "quiet", hint)


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
    34: Wording("No channel", "blocked", "bad", "No channel was free: of our number that would be shown, or of the carrier"),
    52: Wording("Switched off", "blocked", "bad", "The number that would be shown takes no outgoing calls, or is not confirmed"),
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
