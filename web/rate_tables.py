"""Tables of rates as carriers send them: CSV whose first line names the columns."""

from __future__ import annotations

import csv
import io
from datetime import date
from itertools import islice
from typing import Any, BinaryIO, Final

from pydantic import ValidationError

from controller.actions.costs import MOST_PROBLEMS, RateDraft
from controller.errors import FieldProblem, InvalidInput
from web.cost_models import RateChange

MOST_RATES: Final = 20_000
_COLUMNS: Final = frozenset(RateChange.model_fields)
_NEEDED: Final = ("prefix", "per_minute")


def read_rate_table(file: BinaryIO, today: date) -> dict[int, RateDraft]:
    """The rates by the lines they are in; what a line leaves empty has its usual value, `valid_from` is `today`.

    Raises InvalidInput: `file` is no such table, `lines.3.prefix` is wrong in line 3.
    """
    try:
        text = file.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _unusable("the file must be CSV in UTF-8") from None
    first = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",")
    try:
        columns = [name.strip() for name in reader.fieldnames or ()]
        _check_columns(columns)
        reader.fieldnames = columns
        return _read(reader, today)
    except csv.Error as error:
        raise _unusable(f"line {reader.line_num} is no CSV: {error}") from None


def _check_columns(columns: list[str]) -> None:
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        raise _unusable(f"the first line must name the columns; {missing[0]} is missing")
    for place, name in enumerate(columns):
        if name not in _COLUMNS:
            raise _unusable(f'there is no column "{name[:40]}"; use {", ".join(sorted(_COLUMNS))}')
        if name in columns[:place]:
            raise _unusable(f"the column {name} is there twice")


def _read(reader: csv.DictReader[str], today: date) -> dict[int, RateDraft]:
    rows = [(reader.line_num, row) for row in islice(reader, MOST_RATES + 1)]
    if not rows:
        raise _unusable("there is no rate in the file")
    if len(rows) > MOST_RATES:
        raise _unusable(f"send at most {MOST_RATES:,} rates at a time")
    drafts: dict[int, RateDraft] = {}
    problems: list[FieldProblem] = []
    for line, row in rows:
        try:
            drafts[line] = _draft(row, today)
        except ValidationError as error:
            problems += [
                FieldProblem(".".join(map(str, ("lines", line, *one["loc"]))), one["msg"].removeprefix("Value error, "))
                for one in error.errors(include_url=False, include_input=False)
            ]
    if problems:
        raise InvalidInput(f"{problems[0].field}: {problems[0].message}", problems[:MOST_PROBLEMS])
    return drafts


def _draft(row: dict[str | Any, str | Any], today: date) -> RateDraft:
    """What a line says. Raises ValidationError."""
    # Values beyond the columns are under None.
    beyond = {"beyond the columns": row[None]} if None in row else {}
    given = {name: value.strip() for name, value in row.items() if isinstance(value, str) and value.strip()}
    return RateChange.model_validate({"valid_from": today, **given, **beyond}).draft()


def _unusable(message: str) -> InvalidInput:
    return InvalidInput(f"file: {message}", [FieldProblem("file", message)])
