"""Coming in: log-in, sessions, limits, other sites."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from controller.actions.users import set_disabled
from controller.settings import Settings
from tests.fixtures.web import NOON, PASSWORD, Site
from web.login_limits import TRIES_PER_ADDRESS, TRIES_PER_LOGIN, WINDOW_SECONDS, LoginLimits, Permit

RIGHT = {"login": "ann", "password": PASSWORD}
WRONG = {"login": "ann", "password": "wrong horse battery"}


async def test_a_stranger_is_sent_to_the_login_page_and_then_to_where_he_wanted(site: Site) -> None:
    client = site.stranger()
    answer = await client.get("/calls?caller=49")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/calls%3Fcaller%3D49")
    shown = await client.get(answer.headers["location"])
    assert 'name="next" value="/calls?caller=49"' in shown.text
    answer = await client.post("/login", data={**RIGHT, "next": "/calls?caller=49"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/calls?caller=49")
    assert (await client.get("/calls")).status_code == 200


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.test/", "//evil.test/", "/\\evil.test", "javascript:alert(1)", "/a\r\nX: y", ""]
)
async def test_nobody_is_sent_to_another_site_after_logging_in(site: Site, elsewhere: str) -> None:
    answer = await site.stranger().post("/login", data={**RIGHT, "next": elsewhere})
    assert (answer.status_code, answer.headers["location"]) == (303, "/live")


async def test_the_cookie_is_kept_from_scripts_and_other_sites(site: Site) -> None:
    answer = await site.stranger().post("/login", data=RIGHT)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie and "max-age=43200" in cookie and "secure" not in cookie


async def test_the_cookie_is_for_https_alone_when_the_settings_say_so(site: Site) -> None:
    settings = Settings.load({"ATTENDANT_SECURE_COOKIES": "true", "ATTENDANT_DATA_DIR": str(site.settings.data_dir)})
    site.app.state.services = replace(site.app.state.services, settings=settings)
    answer = await site.stranger().post("/login", data=RIGHT)
    assert answer.headers["set-cookie"].startswith("__Host-attendant_8080=") and "; Secure" in answer.headers["set-cookie"]


async def test_a_wrong_password_says_so_without_saying_whether_the_login_exists(site: Site) -> None:
    client = site.stranger()
    wrong = await client.post("/login", data=WRONG)
    unknown = await client.post("/login", data={**WRONG, "login": "nobody"})
    assert wrong.status_code == unknown.status_code == 401
    assert "The login or the password is wrong." in wrong.text
    assert wrong.text.replace("ann", "nobody") == unknown.text


async def test_a_session_ends_after_twelve_hours(site: Site) -> None:
    client = await site.browser()
    site.moment = NOON + timedelta(hours=11, minutes=59)
    assert (await client.get("/live")).status_code == 200
    site.moment = NOON + timedelta(hours=12)
    assert (await client.get("/live")).status_code == 303


async def test_logging_out_ends_the_session_and_not_only_the_cookie(site: Site) -> None:
    client = await site.browser()
    cookie = client.cookies["attendant_8080"]
    assert (await client.post("/logout")).headers["location"] == "/login"
    thief = site.stranger(Cookie=f"attendant_8080={cookie}")
    assert (await thief.get("/live")).status_code == 303


async def test_logging_in_again_ends_the_session_before(site: Site) -> None:
    client = site.stranger()
    await client.post("/login", data=RIGHT)
    before = client.cookies["attendant_8080"]
    await client.post("/login", data=RIGHT)
    assert client.cookies["attendant_8080"] != before
    assert (await site.stranger(Cookie=f"attendant_8080={before}").get("/live")).status_code == 303


async def test_a_disabled_user_is_out_at_once(site: Site) -> None:
    client = await site.browser()
    await site.database.run(set_disabled, "ann", True, acting_user="test", at=NOON)
    assert (await client.get("/live")).status_code == 303
    assert (await client.post("/login", data=RIGHT)).status_code == 401


async def test_too_many_wrong_passwords_close_the_door_for_a_while_even_for_the_right_one(site: Site) -> None:
    client = site.stranger()
    for _ in range(TRIES_PER_LOGIN):
        assert (await client.post("/login", data=WRONG)).status_code == 401
    refused = await client.post("/login", data=RIGHT)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "300")
    assert "Too many failed log-ins. Try again in 5 minutes." in refused.text
    site.seconds = WINDOW_SECONDS
    assert (await client.post("/login", data=RIGHT)).status_code == 303


def test_one_address_may_not_try_many_logins() -> None:
    limits = LoginLimits(lambda: 0.0)
    asked = [limits.ask("192.0.2.1", f"user{number}") for number in range(TRIES_PER_ADDRESS + 1)]
    assert all(isinstance(answer, Permit) for answer in asked[:-1]) and asked[-1] == WINDOW_SECONDS
    assert isinstance(limits.ask("192.0.2.2", "user0"), Permit)


def test_the_addresses_of_one_ipv6_network_count_as_one() -> None:
    limits = LoginLimits(lambda: 0.0)
    for number in range(TRIES_PER_ADDRESS):
        limits.ask(f"2001:db8::{number:x}", f"user{number}")
    assert limits.ask("2001:db8::ffff", "another") == WINDOW_SECONDS


def test_who_comes_in_does_not_use_up_the_tries_of_his_address() -> None:
    limits = LoginLimits(lambda: 0.0)
    for number in range(TRIES_PER_ADDRESS * 2):
        permit = limits.ask("192.0.2.1", f"user{number}")
        assert isinstance(permit, Permit)
        permit.succeeded()


def test_a_flood_of_logins_does_not_fill_the_memory() -> None:
    limits = LoginLimits(lambda: 0.0)
    for number in range(10_100):
        limits.ask(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", f"user{number}")
    assert len(limits._by_login._moments) == len(limits._by_address._moments) == 10_000


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Origin": "http://attendant.test:81"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://attendant.test"},
    ],
)
async def test_another_site_changes_nothing(site: Site, headers: dict[str, str]) -> None:
    client = await site.browser()
    for path in ("/logout", "/login", "/account"):
        answer = await client.post(path, headers=headers, data=RIGHT)
        assert answer.status_code == 403 and "another site" in answer.text
    assert (await client.get("/live", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://attendant.test"}, {"Sec-Fetch-Site": "same-origin", "Origin": "null"}, {"Sec-Fetch-Site": "none"}],
)
async def test_our_own_pages_may_post(site: Site, headers: dict[str, str]) -> None:
    client = await site.browser()
    assert (await client.post("/logout", headers=headers)).status_code == 303


async def test_a_new_password_keeps_this_browser_in_and_puts_the_others_out(site: Site) -> None:
    here, there = await site.browser(), await site.browser()
    form = {"current": PASSWORD, "new": "another good one", "again": "another good one"}
    answer = await here.post("/account", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account?done=1")
    assert "Your password was changed" in (await here.get("/account?done=1")).text
    assert (await there.get("/live")).status_code == 303
    assert (await site.stranger().post("/login", data=RIGHT)).status_code == 401


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"current": "wrong"}, "This is not your password."),
        ({"again": "different one"}, "The two are not the same."),
        ({"new": "short", "again": "short"}, "Use 10 to 200 characters."),
    ],
)
async def test_a_bad_new_password_is_refused_with_the_reason(site: Site, changed: dict[str, str], message: str) -> None:
    client = await site.browser()
    answer = await client.post(
        "/account", data={"current": PASSWORD, "new": "another good one", "again": "another good one", **changed}
    )
    assert answer.status_code == 422 and message in answer.text
    assert (await site.stranger().post("/login", data=RIGHT)).status_code == 303
