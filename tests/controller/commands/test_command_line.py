"""The command line: its output and its exit code."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from controller.__main__ import main
from controller.actions.demo import install_demo
from controller.actions.prompts import PromptDetails, add_prompt
from controller.actions.scenarios import save_draft
from controller.clock import SystemClock
from controller.commands.opening import known_prompts, only_one, open_database
from controller.commands.running import disk_state, prepare_first_start
from controller.prompts.files import PromptFolder
from controller.settings import CHECKOUT, Settings
from controller.storage.numbers import list_numbers
from controller.storage.operators import CallMode, find_operator
from controller.storage.scenarios import find_scenario
from controller.storage.users import list_api_tokens, list_users
from tests.fixtures.soundfiles import tone_file, zip_bytes


@dataclass(frozen=True)
class Outcome:
    returncode: int
    stdout: str
    stderr: str


class CommandLine:
    """`python -m controller` with a data folder of its own."""

    def __init__(self, data_dir: Path) -> None:
        self.variables = {"ATTENDANT_DATA_DIR": str(data_dir)}

    @property
    def settings(self) -> Settings:
        return Settings.load(self.variables)

    def start(self, *arguments: str, **variables: str) -> Outcome:
        """As a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "controller", *arguments],
            cwd=CHECKOUT,
            env={**os.environ, **self.variables, **variables},
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def run(self, *arguments: str, given: str = "", **variables: str) -> Outcome:
        """Within this process, which is quicker."""
        stdin = io.TextIOWrapper(io.BytesIO(given.encode()))
        stdout, stderr = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(stdout), redirect_stderr(stderr):
            patch.setattr(sys, "stdin", stdin)
            for name, value in {**self.variables, **variables}.items():
                patch.setenv(name, value)
            code = main(list(arguments))
        return Outcome(code, stdout.getvalue(), stderr.getvalue())


@pytest.fixture
def line(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "var")


@pytest.fixture
def line_with_demo(line: CommandLine) -> CommandLine:
    with open_database(line.settings) as database, database.session() as session:
        install_demo(session, known_prompts(), acting_user="test", at=SystemClock().now())
    return line


def test_a_wrong_setting_is_one_line_and_no_traceback(line: CommandLine) -> None:
    outcome = line.start("run", ATTENDANT_SIP_PORT="sip")
    assert outcome.returncode == 1
    assert outcome.stderr.startswith("attendant: ATTENDANT_SIP_PORT=sip: ")
    assert outcome.stderr.count("\n") == 1


def test_a_port_in_use_is_named_with_what_to_do(line: CommandLine) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        outcome = line.start("run", ATTENDANT_HTTP_PORT=port)
    assert outcome.returncode == 1
    assert f"ATTENDANT_HTTP_PORT={port}" in outcome.stderr and "set another port" in outcome.stderr


def test_a_database_that_cannot_be_reached_is_named_without_its_password(line: CommandLine) -> None:
    outcome = line.start("run", ATTENDANT_DATABASE_URL="postgresql://somebody:secret@127.0.0.1:1/none")
    assert outcome.returncode == 1
    assert "127.0.0.1" in outcome.stderr and "secret" not in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_a_data_folder_that_cannot_be_made_is_named(line: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    outcome = line.run("token", "list", ATTENDANT_DATA_DIR=str(tmp_path / "file" / "var"))
    assert outcome.returncode == 1
    assert "ATTENDANT_DATA_DIR=" in outcome.stderr


def test_two_attendants_do_not_serve_from_one_data_folder(line: CommandLine) -> None:
    with only_one(line.settings):
        outcome = line.start("run", ATTENDANT_HTTP_PORT="65000")
    assert outcome.returncode == 1
    assert f"process {os.getpid()}" in outcome.stderr


def test_a_token_is_printed_alone_on_the_last_line(line: CommandLine) -> None:
    outcome = line.run("token", "create", "--name", "crm")
    assert outcome.returncode == 0
    token = outcome.stdout.splitlines()[-1]
    assert len(token) > 20 and " " not in token
    assert line.run("token", "list").stdout.startswith("crm\t")
    assert line.run("token", "create", "--name", "crm").returncode == 1
    assert line.run("token", "revoke", "--name", "crm").returncode == 0
    assert "revoked" in line.run("token", "list").stdout


def test_a_user_is_made_with_a_password_that_is_shown_once(line: CommandLine) -> None:
    password = line.run("user", "create", "boss", "--role", "administrator").stdout.strip()
    assert len(password) >= 12
    assert password != line.run("user", "reset-password", "boss").stdout.strip()
    assert "boss\tadministrator" in line.run("user", "list").stdout


def test_a_user_is_linked_to_an_operators_phone_and_unlinked(line_with_demo: CommandLine) -> None:
    line_with_demo.run("user", "create", "eve")
    assert line_with_demo.run("user", "link", "eve", "2001").returncode == 0
    assert "eve\toperator\tphone 2001\n" in line_with_demo.run("user", "list").stdout
    refused = line_with_demo.run("user", "link", "eve", "2999")
    assert refused.returncode == 1 and refused.stderr == "attendant: extension: there is no operator 2999\n"
    assert line_with_demo.run("user", "link", "nobody", "2001").returncode == 1
    assert line_with_demo.run("user", "link", "eve").returncode == 0
    assert "eve\toperator\n" in line_with_demo.run("user", "list").stdout


def test_a_user_has_an_address_for_notices_or_none(line: CommandLine) -> None:
    line.run("user", "create", "eve")
    assert line.run("user", "email", "eve", "eve@example.com").returncode == 0
    assert "eve\toperator\teve@example.com\n" in line.run("user", "list").stdout
    refused = line.run("user", "email", "eve", "nobody")
    assert refused.returncode == 1 and refused.stderr.startswith("attendant: email: write one address")
    assert line.run("user", "email", "eve").returncode == 0
    assert "eve\toperator\n" in line.run("user", "list").stdout


def test_hearing_recordings_is_allowed_and_forbidden(line: CommandLine) -> None:
    assert line.run("user", "create", "eve").returncode == 0
    assert line.run("token", "create", "--name", "crm", "--recordings").returncode == 0
    assert line.run("recordings", "allow", "--user", "eve").returncode == 0
    assert line.run("recordings", "forbid", "--token", "crm").returncode == 0
    with open_database(line.settings) as database, database.session(read_only=True) as session:
        assert [(user.login, user.may_hear_recordings) for user in list_users(session)] == [("eve", True)]
        assert [(token.name, token.hears_recordings) for token in list_api_tokens(session)] == [("crm", False)]
    assert "no user nobody" in line.run("recordings", "allow", "--user", "nobody").stderr


def test_a_disk_without_room_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert disk_state(tmp_path).state == "ok"
    monkeypatch.setattr("controller.commands.running.LEAST_FREE_BYTES", 1 << 62)
    full = disk_state(tmp_path)
    assert full.state == "down" and "recordings may be lost" in full.detail
    missing = disk_state(tmp_path / "missing")
    assert missing.state == "down"
    assert str(tmp_path) not in full.detail + missing.detail, "every user reads it"


def test_a_sip_account_is_printed_as_json(line_with_demo: CommandLine) -> None:
    outcome = line_with_demo.run("sip-account", "2001", ATTENDANT_SIP_PORT="5099")
    account = json.loads(outcome.stdout)
    assert (account["host"], account["port"], account["user"]) == ("127.0.0.1", 5099, "2001")
    assert len(account["password"]) >= 16
    assert line_with_demo.run("sip-account", "2999").returncode == 1


@pytest.mark.covers("SKZ-72")
@pytest.mark.parametrize("mode", ["sip_phone", "own_number", "browser"])
def test_no_sip_account_is_printed_for_who_telephones_in_the_browser(line_with_demo: CommandLine, mode: CallMode) -> None:
    with open_database(line_with_demo.settings) as database, database.session() as session:
        operator = find_operator(session, "2001")
        assert operator is not None
        operator.call_mode = mode
        secret = operator.sip_secret
    outcome = line_with_demo.run("sip-account", "2001")
    if mode != "browser":
        assert outcome.returncode == 0 and json.loads(outcome.stdout)["password"] == secret
    else:
        assert (outcome.returncode, outcome.stdout) == (1, "")
        assert "telephones in the browser" in outcome.stderr and secret not in outcome.stderr


def test_a_scenario_is_equal_to_the_letter_after_export_and_import(line_with_demo: CommandLine, tmp_path: Path) -> None:
    exported = line_with_demo.run("scenario", "export", "Demo").stdout
    file = tmp_path / "Copy.json"
    file.write_text(exported)
    assert line_with_demo.run("scenario", "import", str(file), "--publish").returncode == 0
    assert line_with_demo.run("scenario", "export", "Copy").stdout == exported


def test_an_archive_carries_a_scenario_with_its_prompts_into_an_empty_system(line_with_demo: CommandLine, tmp_path: Path) -> None:
    settings = line_with_demo.settings
    folder = PromptFolder(settings.prompts_dir)
    with open_database(settings) as database, tone_file(tmp_path / "own.mp3", "mp3").open("rb") as file:
        place = folder.new_place()
        sound = folder.prepare(place, file, 60)
        with database.session() as session:
            details = PromptDetails("Own", "en", "uploaded", "own", "own.mp3")
            add_prompt(session, folder, sound, details, 20, acting_user="test", at=SystemClock().now())
            found = find_scenario(session, "Demo")
            assert found is not None
            document = json.loads(json.dumps(found.draft).replace("demo-greeting:ru", "own:en"))
            save_draft(session, found.id, document, 1, acting_user="test", at=SystemClock().now())
        folder.discard(place)
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    assert line_with_demo.run("scenario", "export", "Demo", str(first)).returncode == 0
    other = CommandLine(tmp_path / "other")
    imported = other.run("scenario", "import", str(first), "--publish")
    assert imported.returncode == 0, imported.stderr
    assert "group Sales" in imported.stdout and 'scenario "Demo" is published' in imported.stdout
    assert other.run("scenario", "export", "Demo", str(second)).returncode == 0
    assert first.read_bytes() == second.read_bytes()
    assert (tmp_path / "other" / "prompts" / "en" / "own.wav16").is_file()


def test_a_hostile_archive_is_refused_in_one_line(line: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "bad.zip").write_bytes(zip_bytes())
    outcome = line.run("scenario", "import", str(tmp_path / "bad.zip"))
    assert outcome.returncode == 1
    assert outcome.stderr == "attendant: file: there is no attendant.json in the archive\n"


@pytest.mark.parametrize(
    "document", ["", "no json", '{"schema_version": 1}', '{"schema_version": 99, "start": "a", "nodes": {}}']
)
def test_what_is_no_scenario_is_refused_in_one_line(line: CommandLine, document: str) -> None:
    outcome = line.run("scenario", "import", "-", "--name", "Bad", given=document)
    assert outcome.returncode == 1
    assert outcome.stderr.startswith("attendant: ") and "Traceback" not in outcome.stderr


def test_a_set_up_goes_to_an_empty_system_as_a_folder_and_as_a_file(line_with_demo: CommandLine, tmp_path: Path) -> None:
    folder, packed, other = tmp_path / "folder", tmp_path / "setup.zip", CommandLine(tmp_path / "other")
    assert line_with_demo.run("setup", "export", str(folder)).returncode == 0
    assert line_with_demo.run("setup", "export", str(packed)).returncode == 0
    tried = other.run("setup", "import", str(folder), "--dry-run")
    assert tried.returncode == 0 and "would be created: group Sales" in tried.stdout
    imported = other.run("setup", "import", str(packed))
    assert imported.returncode == 0 and "attendant: created: number 8000" in imported.stdout
    assert "nothing to change" in other.run("setup", "import", str(folder)).stdout
    assert other.run("setup", "export", str(tmp_path / "again.zip")).returncode == 0
    assert (tmp_path / "again.zip").read_bytes() == packed.read_bytes()


def test_every_problem_of_a_set_up_is_a_line_with_its_file_and_field(line_with_demo: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    assert line_with_demo.run("setup", "export", str(folder)).returncode == 0
    (folder / "groups" / "Sales.json").write_text('{"name": "Sales", "members": ["2001", "2099"], "ring_seconds": 25}')
    (folder / "operators" / "copy.json").write_text('{"extension": "2002", "name": "Boris"}')
    outcome = line_with_demo.run("setup", "import", str(folder))
    assert outcome.returncode == 1 and "nothing was changed" in outcome.stdout
    assert outcome.stderr.splitlines() == [
        'attendant: operators/copy.json: extension: operators/2002.json is of the operator "2002" too',
        'attendant: groups/Sales.json: members.1: there is no operator "2099"',
    ]
    (folder / "operators" / "copy.json").unlink()
    (folder / "groups" / "Sales.json").write_text('{"name": "Sales", "members": ["2001"], "ring_seconds": 25}')
    outcome = line_with_demo.run("setup", "import", str(folder))
    assert outcome.stdout.splitlines() == ["attendant: changed: group Sales (ring_seconds, members)"]


@pytest.mark.parametrize("place", ["nowhere", "nowhere.zip"])
def test_a_set_up_that_is_not_there_is_named(line: CommandLine, tmp_path: Path, place: str) -> None:
    outcome = line.run("setup", "import", str(tmp_path / place))
    assert (outcome.returncode, outcome.stderr) == (1, f"attendant: {tmp_path / place}: No such file or directory\n")


def test_a_set_up_is_not_written_over_other_files(line_with_demo: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "one.txt").touch()
    outcome = line_with_demo.run("setup", "export", str(tmp_path / "letters"))
    assert outcome.returncode == 1 and "choose an empty folder" in outcome.stderr


def test_the_first_start_brings_the_demo_only_where_no_set_up_came_before(line: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "numbers").mkdir(parents=True)
    (folder / "setup.json").write_text('{"format": "attendant set-up", "version": 1}')
    (folder / "numbers" / "ours.json").write_text('{"number": "8001", "line_name": "Ours"}')
    assert line.run("setup", "import", str(folder)).returncode == 0
    for place, numbers in ((line, ["8001"]), (CommandLine(tmp_path / "fresh"), ["8000"])):
        with open_database(place.settings) as database:
            assert prepare_first_start(database, SystemClock())
            with database.session(read_only=True) as session:
                assert [row.number for row in list_numbers(session)] == numbers


def test_the_demo_is_removed_in_one_step(line_with_demo: CommandLine) -> None:
    outcome = line_with_demo.run("remove-demo")
    assert outcome.returncode == 0 and "number 8000" in outcome.stdout
    assert line_with_demo.run("sip-account", "2001").returncode == 1


def test_check_says_what_is_missing(line: CommandLine) -> None:
    outcome = line.run("check", ATTENDANT_ASTERISK="/nowhere/asterisk", ATTENDANT_HTTP_PORT="65001", ATTENDANT_SIP_PORT="65002")
    assert outcome.returncode == 1
    assert "FAIL  asterisk" in outcome.stdout and "ATTENDANT_ASTERISK=/nowhere/asterisk" in outcome.stdout
    assert "ok    http port" in outcome.stdout


def test_a_test_call_needs_a_running_attendant(line: CommandLine) -> None:
    outcome = line.run("call", "8000")
    assert outcome.returncode == 1 and "make run" in outcome.stderr
