"""The prompts that come with Attendant, made of Asterisk's own recorded sound packages, which have these files in every
language of LANGUAGES. A prompt is a list of recordings played without a pause between them.

One for each situation in which the system speaks (requirements UIS-48, UIS-49, SKZ-39). Where the packages lack the words, the
nearest phrase that they have stands in: a comment says which. An installation that wants better uploads its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

LANGUAGES: Final = ("en", "ru")
SILENCE: Final = "second-of-silence"


@dataclass(frozen=True, slots=True)
class BuiltinPrompt:
    """`title` is what people see in the library and in call details; `instead` the recordings of languages that differ."""

    title: str
    recordings: tuple[str, ...]
    instead: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def recordings_in(self, language: str) -> tuple[str, ...]:
        """The files, named by their path in the language's folder, without extension."""
        return self.instead.get(language, self.recordings)


BUILTIN: Final[Mapping[str, BuiltinPrompt]] = {
    SILENCE: BuiltinPrompt("Second of silence", ("silence/1",)),
    "beep": BuiltinPrompt("Beep", ("beep",)),
    "greeting": BuiltinPrompt("Greeting", ("hello",)),
    "goodbye": BuiltinPrompt("Goodbye", ("vm-goodbye",)),
    "thank-you": BuiltinPrompt("Thank you", ("auth-thankyou",)),
    "please-hold": BuiltinPrompt("Please hold", ("one-moment-please",)),
    "number-not-in-service": BuiltinPrompt("Number not in service", ("ss-noservice",)),
    # Keys
    "authorization": BuiltinPrompt("Enter the code", ("agent-pass",)),
    "authorization-incorrect": BuiltinPrompt("Wrong code", ("vm-invalidpassword",)),
    "menu-incorrect": BuiltinPrompt("Wrong key", ("vm-sorry", "vm-pls-try-again")),
    "extension-entry": BuiltinPrompt("Enter the extension", ("vm-enter-num-to-call",)),
    "extension-incorrect": BuiltinPrompt("No such extension", ("pbx-invalid",)),
    # Transfer
    "transfer": BuiltinPrompt("Transfer in progress", ("vm-dialout",)),
    "sorry-nobody-available": BuiltinPrompt("Sorry, nobody is available", ("im-sorry", "vm-nobodyavail")),
    # Operators' own phones
    "operator-logged-in": BuiltinPrompt("Logged in", ("agent-loginok",)),
    "operator-logged-out": BuiltinPrompt("Logged out", ("agent-loggedoff",)),
    "do-not-disturb-on": BuiltinPrompt("Do not disturb: on", ("do-not-disturb", "activated")),
    "do-not-disturb-off": BuiltinPrompt("Do not disturb: off", ("do-not-disturb", "de-activated")),
    "not-possible": BuiltinPrompt("Not possible", ("beeperr", "im-sorry")),
    # A line: arrival, waiting, all busy, nobody can answer, off-hours (SKZ-40)
    "line-arrival": BuiltinPrompt(
        "Arrival: greeting, please wait", ("hello", "pls-hold-while-try"), {"ru": ("hello", "followme/pls-hold-while-try")}
    ),
    "line-waiting": BuiltinPrompt(
        "Waiting for an answer", ("one-moment-please", "queue-thankyou"), {"ru": ("queue-callswaiting", "queue-thankyou")}
    ),
    "line-first": BuiltinPrompt("First in the line", ("queue-youarenext",)),
    "line-busy": BuiltinPrompt("All operators are busy", ("queue-periodic-announce",)),
    "line-no-answer": BuiltinPrompt("Nobody can answer", ("vm-nobodyavail", "vm-goodbye")),
    # Neither package speaks of working hours: "nobody is available now; please call again later". English has no file for the
    # second half.
    "line-off-hours": BuiltinPrompt(
        "Off-hours", ("im-sorry", "vm-nobodyavail", "vm-goodbye"), {"ru": ("vm-nobodyavail", "pls-try-call-later", "vm-goodbye")}
    ),
    # Voicemail
    "voicemail-greeting": BuiltinPrompt("Leave a message after the tone", ("vm-nobodyavail", "vm-intro")),
    "voicemail-saved": BuiltinPrompt("Message saved", ("vm-msgsaved",)),
    "voicemail-too-short": BuiltinPrompt("Message too short", ("vm-tooshort",)),
    # Recording a prompt by phone: "press 1 to accept this recording, 2 to listen to it, 3 to record again"
    "prompt-review": BuiltinPrompt("Keep, hear or record again", ("vm-review",)),
    "prompt-not-kept": BuiltinPrompt("Sorry, please try again", ("im-sorry", "vm-pls-try-again")),
    # Callback: "press 1 to call this number" is the nearest to "press 1 and we shall call you back".
    "callback-offer": BuiltinPrompt("Callback offer", ("vm-tocallnum",)),
    "callback-accepted": BuiltinPrompt("Callback accepted", ("auth-thankyou", "num-was-successfully", "added", "vm-goodbye")),
    # The call that confirms a number (SKZ-10): "hello, password", and the code. Neither package has the word code.
    "confirmation-code": BuiltinPrompt("Confirmation code", ("hello", "vm-password")),
    **{f"digit-{digit}": BuiltinPrompt(f"Digit {digit}", (f"digits/{digit}",)) for digit in "0123456789"},
    # The demo
    "demo-greeting": BuiltinPrompt("Demo: greeting", ("hello",)),
    "demo-menu": BuiltinPrompt(
        "Demo: menu",
        (
            *("vm-press", "digits/1", "for", "extension", "digits/1"),
            *("vm-press", "digits/2", "for", "extension", "digits/2"),
            "vm-starmain",
        ),
    ),
}
