"""One row by its id, in the same way for every table."""

from __future__ import annotations

from typing import TypeVar

from sqlmodel import Session, SQLModel

from controller.errors import NotFound

Row = TypeVar("Row", bound=SQLModel)


def by_id(session: Session, table: type[Row], id: int | str, name: str, *, locked: bool = False) -> Row:
    """The row with this id, which people call `name`. `locked`: as it is now, with others kept from changing it until the
    transaction ends. Raises NotFound.
    """
    found = session.get(table, id, populate_existing=locked, with_for_update=True if locked else None)
    if found is None:
        raise NotFound(f"there is no {name}")
    return found
