"""`python -m controller render-asterisk-conf`: the configuration for an Asterisk in a container (docker-compose.yml)."""

from __future__ import annotations

import argparse

from controller.commands.opening import Commands, say
from controller.provisioning.asterisk_conf import render_for_container
from controller.settings import Settings


def add_commands(commands: Commands) -> None:
    parser = commands.add_parser("render-asterisk-conf", help="write the configuration for an Asterisk in a container")
    parser.add_argument(
        "--network",
        action="append",
        required=True,
        help="network of the controller, which may reach ARI and AMI; may be repeated",
    )
    parser.set_defaults(command=_render)


def _render(settings: Settings, given: argparse.Namespace) -> int:
    say(f"wrote {render_for_container(settings, tuple(given.network))}")
    return 0
