"""A SIP phone without a person: for `make demo`, the `call` command and tests with real calls."""

from controller.softphone.phone import CallRefused, PhoneCall, PhoneError, PhoneStack, PhoneTimeout, SoftPhone

__all__ = ["CallRefused", "PhoneCall", "PhoneError", "PhoneStack", "PhoneTimeout", "SoftPhone"]
