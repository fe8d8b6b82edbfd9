"""The objects that make a trunk in Asterisk."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.telephony.port import SipTrunk
from controller.telephony.sip_trunks import mark, objects

PBX = SipTrunk("trunk-1", "pbx.example.com", 1122, "udp", "001122", "s3cret", registers=True, caller_id="74950001122")


@pytest.mark.covers("SKZ-13")
def test_an_own_pbx_is_a_registration_with_a_login_a_place_and_an_endpoint() -> None:
    made = dict(objects(PBX))
    assert list(made) == ["auth", "aor", "endpoint", "identify", "registration"]
    assert (made["auth"]["username"], made["auth"]["password"]) == ("001122", "s3cret")
    assert made["aor"]["contact"] == made["registration"]["server_uri"] == "sip:pbx.example.com:1122"
    assert made["registration"]["client_uri"] == "sip:001122@pbx.example.com:1122"
    assert made["registration"]["contact_user"] == "74950001122"
    assert made["identify"] == {"endpoint": "trunk-1", "match": "pbx.example.com"}
    assert "outbound_proxy" not in made["endpoint"] and "from_user" not in made["endpoint"]


@pytest.mark.covers("SKZ-13")
def test_a_domain_of_its_own_is_named_in_requests_that_are_sent_to_the_server() -> None:
    made = dict(objects(replace(PBX, domain="example.com", transport="tcp")))
    assert made["endpoint"]["from_domain"] == "example.com"
    assert made["aor"]["contact"] == made["registration"]["server_uri"] == "sip:example.com;transport=tcp"
    assert made["registration"]["client_uri"] == "sip:001122@example.com;transport=tcp"
    for kind in ("aor", "endpoint", "registration"):
        assert made[kind]["outbound_proxy"] == "sip:pbx.example.com:1122;transport=tcp;lr"
    assert made["identify"]["match"] == "pbx.example.com"
    assert objects(replace(PBX, domain="pbx.example.com"))[1:3] != objects(replace(PBX, domain="example.com"))[1:3]


@pytest.mark.covers("SKZ-16")
def test_nobody_becomes_a_trunk_that_is_for_outgoing_calls_only() -> None:
    made = dict(objects(SipTrunk("trunk-2", "192.0.2.1", 5060, inbound=False)))
    assert list(made) == ["aor", "endpoint"]
    assert mark(PBX) != mark(replace(PBX, inbound=False))
