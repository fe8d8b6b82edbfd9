"""Trunks: carriers that calls to the world outside go through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from sqlalchemy import String
from sqlmodel import Field, Session, SQLModel, col, select

from controller.storage.rows import by_id

Transport: TypeAlias = Literal["udp", "tcp"]
TrunkState: TypeAlias = Literal["ready", "absent", "not_registered", "no_secret", "disabled", "unknown"]
"""How a trunk is now: calls can go through it; the carrier does not respond; it does, but does not let us register (yet); its
secret is still to be set; it is switched off; Asterisk can't be asked."""


class Trunk(SQLModel, table=True):
    """A carrier. The enabled trunk of the lowest `position` takes calls outside.

    `host` is a name or an address; calls from it are the carrier's. `username` and `secret` are what the carrier asks for,
    empty when it knows us by our address. `registers`: it must be told where we are. `caller_id` is the number it knows us by,
    shown outside where no number of ours belongs to the trunk; empty: what `username` is, or else the caller's own. `domain` is
    the one its users belong to, empty: `host`. `inbound`: its calls are taken. `clip_no_screening`: the carrier lets us
    show numbers that are not its own, so a forwarded call shows what was chosen for it (SKZ-36).
    """

    __tablename__ = "trunks"
    # Its id is the name of Asterisk's objects: that of one that was removed must not come again.
    __table_args__ = {"sqlite_autoincrement": True}

    id: int = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    host: str
    port: int = 5060
    transport: Transport = Field(default="udp", sa_type=String)
    username: str = ""
    secret: str = ""
    registers: bool = False
    caller_id: str = ""
    position: int = 1
    enabled: bool = True
    domain: str = ""
    inbound: bool = True
    clip_no_screening: bool = False

    @property
    def lacks_secret(self) -> bool:
        """Whether it can't be used because its secret is still to be set."""
        return bool(self.username) and not self.secret


def list_trunks(session: Session) -> Sequence[Trunk]:
    """All trunks in the order they are taken."""
    return session.exec(select(Trunk).order_by(col(Trunk.position), col(Trunk.id))).all()


def usable_trunks(session: Session) -> Sequence[Trunk]:
    """Those that calls can go through: enabled, and with what the carrier asks for."""
    return [trunk for trunk in list_trunks(session) if trunk.enabled and not trunk.lacks_secret]


def get_trunk(session: Session, id: int) -> Trunk:
    """Raises NotFound."""
    return by_id(session, Trunk, id, f"trunk {id}")


def find_trunk(session: Session, name: str) -> Trunk | None:
    return session.exec(select(Trunk).where(Trunk.name == name)).first()
