"""Codes by SMS, through a gateway of the test."""

from __future__ import annotations

import pytest

from controller.errors import Refused, SettingsError
from controller.notices.sms import SmsGateway
from controller.settings import Settings
from tests.fixtures.crm import Crm, crm

__all__ = ["crm"]


@pytest.mark.covers("SKZ-10")
@pytest.mark.parametrize(("language", "said"), [("en", "Your code: 012345."), ("ru", "Ваш код: 012345."), ("de", "Your code")])
async def test_the_gateway_is_given_the_number_and_the_code(crm: Crm, language: str, said: str) -> None:
    await SmsGateway(f"{crm.url}?key=secret").send_code("+79161234567", "012345", language)
    ((_, body, _),) = crm.asked
    assert body["to"] == "+79161234567" and body["text"].startswith(said)


async def test_a_gateway_that_does_not_take_it_is_named_without_its_key(crm: Crm, caplog: pytest.LogCaptureFixture) -> None:
    for status in (302, 403, 500):
        crm.handler = crm.says({}, status=status)
        with pytest.raises(Refused, match=f"answered {status}"):
            await SmsGateway(f"{crm.url}?key=secret").send_code("1234", "012345", "en")
    with pytest.raises(Refused, match="can't be reached"):
        await SmsGateway("http://127.0.0.1:1/?key=secret").send_code("1234", "012345", "en")
    assert "secret" not in caplog.text and "012345" not in caplog.text


def test_an_address_that_can_not_be_one_is_named_without_its_value() -> None:
    with pytest.raises(SettingsError) as found:
        Settings.load({"ATTENDANT_SMS_URL": "sms.example.com?key=secret"})
    assert "ATTENDANT_SMS_URL" in str(found.value) and "secret" not in str(found.value)
