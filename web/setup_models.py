"""Set-ups as the API takes them, and what it says came of one."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, WithJsonSchema

from controller.actions.setups import Taken

_ZIP = {"type": "string", "format": "binary", "description": "a zip file of an export, or of a folder with the same files"}


class SetupUpload(BaseModel):
    """A form with a set-up."""

    file: Annotated[str, WithJsonSchema(_ZIP)]
    dry_run: bool = Field(False, description="only say what would be changed")


class SetupChange(BaseModel):
    """Something that was changed."""

    what: str = Field(description='in words: "group Sales"')
    fields: list[str] = Field(description='in which fields: "members"')


class SetupTaken(BaseModel):
    """What came of a set-up, in words such as "group Sales"; with `dry_run` what would come of it."""

    dry_run: bool
    created: list[str]
    changed: list[SetupChange]
    unchanged: list[str] = Field(description="is as the set-up says already")
    notes: list[str] = Field(description="what is left to do, such as secrets to be set")


def setup_taken(taken: Taken, trial: bool) -> SetupTaken:
    """The same for programs."""
    return SetupTaken(
        dry_run=trial,
        created=list(taken.created),
        changed=[SetupChange(what=change.what, fields=list(change.fields)) for change in taken.changed],
        unchanged=list(taken.unchanged),
        notes=list(taken.notes),
    )
