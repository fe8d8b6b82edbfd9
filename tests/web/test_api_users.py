"""Users in the API: where their notices go, and whose an operator's phone is."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import select

from controller.actions.operators import create_operator
from controller.actions.users import create_user
from controller.storage.audit import AuditEntry
from tests.fixtures.web import NOON, PASSWORD, Site

USERS = "/api/v1/users"
BY: dict[str, Any] = {"acting_user": "test", "at": NOON}
NOBODY = {"email": None, "extension": None}


@pytest.fixture
def office(site: Site) -> Site:
    """Ann and Eve, and the phones 2001 and 2002."""
    with site.database.session() as session:
        create_user(session, "eve@example.com", PASSWORD, "operator", **BY)
        for extension in ("2001", "2002"):
            create_operator(session, extension, f"Operator {extension}", **BY)
    return site


def audited(site: Site) -> list[tuple[str, str, str]]:
    """What was done by programs."""
    with site.database.session(read_only=True) as session:
        entries = session.exec(select(AuditEntry).order_by(AuditEntry.id)).all()  # type: ignore[arg-type]
        return [(one.action, one.subject, one.actor) for one in entries if one.actor.startswith("token ")]


@pytest.mark.covers("SKZ-26", "SKZ-27")
async def test_where_a_users_notices_go_and_which_phone_is_his_is_read_and_changed(office: Site) -> None:
    program = office.program()
    eve = {
        "login": "eve@example.com",
        "role": "operator",
        "disabled": False,
        "hears_recordings": False,
        "email": None,
        "extension": None,
    }
    ann = {**eve, "login": "ann", "role": "administrator", "hears_recordings": True}
    assert (await program.get(USERS)).json() == {"users": [ann, eve]}
    wanted = {"email": "eve@example.com", "extension": "2001"}
    changed = await program.put(f"{USERS}/eve@example.com", json=wanted)
    assert changed.json() == {**eve, **wanted} == (await program.get(f"{USERS}/eve@example.com")).json()
    assert (await program.get(USERS)).json() == {"users": [ann, {**eve, **wanted}]}
    browser = await office.browser(2)
    assert "Operator 2001" in (await browser.get("/account")).text
    by = "token reports"
    assert audited(office) == [("user.email", "user eve@example.com", by), ("user.link", "user eve@example.com", by)]
    await program.put(f"{USERS}/eve@example.com", json={**wanted, "extension": None})
    assert len(audited(office)) == 3
    assert (await program.put(f"{USERS}/eve@example.com", json=NOBODY)).json() == eve


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "nobody", "extension": "2001"}, "email"),
        ({"email": "eve@example.com", "extension": "2999"}, "extension"),
        ({"email": "eve@example.com", "extension": ""}, "extension"),
        ({"email": "eve@example.com"}, "extension"),
        ({**NOBODY, "password": "correct horse battery"}, "password"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_changed(office: Site, body: dict[str, Any], field: str) -> None:
    program = office.program()
    refused = await program.put(f"{USERS}/ann", json=body)
    assert (refused.status_code, [one["field"] for one in refused.json()["error"]["fields"]]) == (422, [field])
    ann = (await program.get(f"{USERS}/ann")).json()
    assert (ann["email"], ann["extension"]) == (None, None) and audited(office) == []


async def test_a_phone_is_one_users_and_strangers_are_told_apart_from_nobody(office: Site) -> None:
    program = office.program()
    await program.put(f"{USERS}/ann", json={**NOBODY, "extension": "2001"})
    refused = await program.put(f"{USERS}/eve@example.com", json={"email": "eve@example.com", "extension": "2001"})
    assert refused.status_code == 409 and "belongs to another user" in refused.json()["error"]["message"]
    assert (await program.get(f"{USERS}/eve@example.com")).json()["email"] is None
    for login in ("nobody", "a%00b", "a%20b", "x" * 65):
        assert (await program.get(f"{USERS}/{login}")).status_code == 404
        assert (await program.put(f"{USERS}/{login}", json=NOBODY)).status_code == 404
    assert (await office.stranger().get(USERS)).status_code == 401
    assert (await (await office.browser()).get(USERS)).status_code == 401
