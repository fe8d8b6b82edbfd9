"""`python -m controller COMMAND`: see --help."""

from __future__ import annotations

import argparse
import sys

from controller.errors import AttendantError
from controller.settings import Settings

INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it did what was asked, 1 with one line on standard error when not."""
    try:
        given = _parser().parse_args(arguments)
        return int(given.command(Settings.load(), given))
    except AttendantError as error:
        print(f"attendant: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("attendant: interrupted", file=sys.stderr)
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    from controller.commands import accounts, calling, checking, containing, demonstrating, running, scenarios, setups

    parser = argparse.ArgumentParser(
        prog="python -m controller",
        description="Attendant, a call-center controller over Asterisk. Settings are environment variables: see README.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for subject in (running, checking, containing, accounts, scenarios, setups, calling, demonstrating):
        subject.add_commands(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
