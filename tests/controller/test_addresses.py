"""E-mail addresses and phone numbers, and the settings that are made of them."""

from __future__ import annotations

from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.addresses import SipAddress, email_address, phone_number, sip_address, zone_of_number
from controller.errors import SettingsError
from controller.settings import Settings, SmtpServer


@pytest.mark.parametrize(
    ("written", "region", "kept"),
    [
        ("+7 (495) 111-22-33", None, "+74951112233"),
        ("74951112233", None, "+74951112233"),
        ("84951112233", "RU", "+74951112233"),
        ("4951112233", "RU", "+74951112233"),
        ("030 1234567", "DE", "+49301234567"),
        ("+49 30 1234567", "RU", "+49301234567"),
        ("2001", "RU", "2001"),
        ("", "RU", None),
        ("anonymous", "RU", None),
        ("+2", None, None),
        ("+7495111223\u0663", None, None),
        ("1" * 21, None, None),
    ],
)
def test_a_number_is_kept_in_one_form_however_it_is_written(written: str, region: str | None, kept: str | None) -> None:
    assert phone_number(written, region) == kept


@pytest.mark.covers("PRJ-26")
@pytest.mark.parametrize(
    ("number", "zone"),
    [
        ("+74951112233", "Europe/Moscow"),
        ("+73432123456", "Asia/Yekaterinburg"),
        ("+74232123456", "Asia/Vladivostok"),
        ("+12125551234", "America/New_York"),
        ("+4915112345678", "Europe/Berlin"),
        ("+79161234567", None),
        ("+18005551234", None),
        ("+80012345678", None),
        ("2001", None),
    ],
    ids=[
        "Moscow",
        "Yekaterinburg",
        "Vladivostok",
        "New York",
        "a mobile",
        "a mobile anywhere",
        "toll-free",
        "no country",
        "internal",
    ],
)
def test_a_number_tells_where_it_is_if_it_can_be_in_one_zone_alone(number: str, zone: str | None) -> None:
    assert zone_of_number(number) == zone


@given(st.text("+0123456789", max_size=17), st.sampled_from([None, "RU", "US"]))
def test_whatever_is_a_number_has_one_known_zone_or_none(written: str, region: str | None) -> None:
    number = phone_number(written, region)
    if number is not None:
        zone = zone_of_number(number)
        assert zone is None or zone in available_timezones()


def test_an_address_is_one_plain_address() -> None:
    assert email_address(" office@example.com ") == "office@example.com"
    assert email_address("a@bücher.de") == "a@xn--bcher-kva.de"
    for bad in (
        "",
        "a",
        "@b",
        "a@",
        "a@b@c",
        "a b@c",
        "a@b\r\nc: d",
        "a,b@c.d",
        "<a@b.c>",
        '"a"@b.c',
        "a@-b.c",
        "a" * 65 + "@b.c",
    ):
        with pytest.raises(ValueError, match="write one address"):
            email_address(bad)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtps://mail.example.com", SmtpServer("mail.example.com", 465, "tls")),
        ("smtp://u%40x:p%3A%2F@mail.example.com?starttls", SmtpServer("mail.example.com", 587, "starttls", "u@x", "p:/")),
        ("smtp://127.0.0.1:2525", SmtpServer("127.0.0.1", 2525, "none")),
        ("smtp://u:p@localhost", SmtpServer("localhost", 25, "none", "u", "p")),
    ],
)
def test_a_mail_server_is_written_as_an_address(url: str, server: SmtpServer) -> None:
    assert Settings.load({"ATTENDANT_SMTP_URL": url, "ATTENDANT_MAIL_FROM": "a@b.de"}).smtp_url == server


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"ATTENDANT_SMTP_URL": "smtp://u:hidden@mail.example.com"}, "in clear"),
        ({"ATTENDANT_SMTP_URL": "http://u:hidden@mail.example.com"}, "smtps://"),
        ({"ATTENDANT_SMTP_URL": "smtps://u:hidden@mail.example.com:port"}, "smtps://"),
        ({"ATTENDANT_SMTP_URL": "smtps://u:hidden@mail.example.com/path"}, "smtps://"),
        ({"ATTENDANT_SMTP_URL": "smtps://u:hidden@mail.example.com"}, "ATTENDANT_MAIL_FROM"),
        ({"ATTENDANT_MAIL_FROM": "nobody"}, "write one address"),
        ({"ATTENDANT_TIME_ZONE": "Mars/Olympus"}, "IANA"),
        ({"ATTENDANT_TIME_ZONE": "../../etc/passwd"}, "IANA"),
        ({"ATTENDANT_PHONE_REGION": "XX"}, "country"),
    ],
)
def test_a_wrong_setting_is_named_without_its_password(environment: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said) as refused:
        Settings.load(environment)
    assert "hidden" not in str(refused.value)


def test_a_sip_address_is_plain_and_kept_in_one_form() -> None:
    assert sip_address("SIP:Queue.1@PBX.Example.com") == SipAddress("Queue.1", "pbx.example.com")
    assert str(sip_address("sip:a@10.0.0.1:5060")) == "sip:a@10.0.0.1"
    assert str(sip_address("sip:a@[2001:DB8::1]:5080")) == "sip:a@[2001:db8::1]:5080"
    for bad in (
        "sip:a@10.0.0",
        "sip:a@10.0.0.1:0",
        "sip:a@10.0.0.1:65536",
        "sip:a@[10.0.0.1]",
        "sip:a@2001:db8::1",
        "sip:a@-host",
        "sip:a@host\n",
        "sip:@host",
        f"sip:{'a' * 65}@host",
        "sip:\u0430@host",
    ):
        assert sip_address(bad) is None, bad
