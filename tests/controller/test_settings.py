from __future__ import annotations

import pytest

from controller.errors import SettingsError
from controller.settings import PortRange, Settings


def test_without_any_variable_everything_has_a_default() -> None:
    settings = Settings.load({})
    assert (settings.http_port, settings.sip_port, settings.rtp_ports) == (8080, 5060, PortRange(10000, 10999))
    assert settings.database == f"sqlite:///{settings.data_dir}/attendant.db"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ATTENDANT_HTTP_PORT", "eighty"),
        ("ATTENDANT_HTTP_PORT", "0"),
        ("ATTENDANT_SIP_PORT", "70000"),
        ("ATTENDANT_RTP_PORTS", "10999-10000"),
        ("ATTENDANT_RTP_PORTS", "10000"),
        ("ATTENDANT_LANGUAGE", "russian"),
        ("ATTENDANT_ARI_URL", "asterisk:8088"),
        ("ATTENDANT_ARI_APP", "a/b"),
        ("ATTENDANT_DEMO_NETWORKS", "everywhere"),
        ("ATTENDANT_EXTENSION_PATTERN", "2[0-9"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_variable_and_the_value(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as wrong:
        Settings.load({variable: value})
    assert str(wrong.value).startswith(f"{variable}={value}: ")
    assert "\n" not in str(wrong.value)


def test_a_wrong_password_is_named_but_not_shown() -> None:
    with pytest.raises(SettingsError) as wrong:
        Settings.load({"ATTENDANT_ARI_PASSWORD": "with space"})
    assert str(wrong.value).startswith("ATTENDANT_ARI_PASSWORD=…: ")
    assert "with space" not in str(wrong.value)


def test_an_outside_asterisk_needs_its_passwords() -> None:
    with pytest.raises(SettingsError, match="ATTENDANT_ARI_PASSWORD and ATTENDANT_AMI_PASSWORD"):
        Settings.load({"ATTENDANT_ARI_URL": "http://pbx:8088/"})


def test_the_pages_of_all_addresses_are_reached_on_this_machine() -> None:
    assert Settings.load({"ATTENDANT_HTTP_HOST": "0.0.0.0"}).pages_url == "http://127.0.0.1:8080/"
