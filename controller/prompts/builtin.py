"""The prompts that come with Attendant, made of Asterisk's own recorded sound packages, which have these files in every
language of LANGUAGES. A prompt is a list of recordings played without a pause between them.
"""

from __future__ import annotations

from typing import Final

LANGUAGES: Final = ("en", "ru")

BUILTIN: Final[dict[str, tuple[str, ...]]] = {
    "demo-greeting": ("hello",),
    "demo-menu": (
        *("vm-press", "digits/1", "for", "extension", "digits/1"),
        *("vm-press", "digits/2", "for", "extension", "digits/2"),
        "vm-starmain",
    ),
    "sorry-nobody-available": ("im-sorry", "vm-nobodyavail"),
    "number-not-in-service": ("ss-noservice",),
    "please-hold": ("one-moment-please",),
    "goodbye": ("vm-goodbye",),
}
