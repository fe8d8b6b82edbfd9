"""What letters say: a template for each kind and language, "KIND.LANGUAGE.txt". The first line is the subject.

A language without templates gets English. Templates are plain text: nothing is escaped, and what is put in can't add headers,
because `controller.notices.outbox` makes the subject one line.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_FOLDER = Path(__file__).parent
_FALLBACK = "en"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file to go with a letter; `path` is relative to the data folder."""

    path: str
    name: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter to one address. `dedupe_key` names the occasion: there is one letter for each."""

    kind: str
    language: str
    recipient: str
    subject: str
    body: str
    attachments: tuple[Attachment, ...] = ()
    dedupe_key: str | None = None


def write_letter(kind: str, language: str, facts: dict[str, object]) -> tuple[str, str]:
    """The subject and the body; all that the template of this kind names must be in `facts`."""
    environment = _environment()
    template = environment.select_template([f"{kind}.{language}.txt", f"{kind}.{_FALLBACK}.txt"])
    subject, _, body = template.render(facts).partition("\n")
    return subject.strip(), body.strip() + "\n"


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(_FOLDER), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
