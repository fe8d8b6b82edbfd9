"""A whole set-up as readable files, to be kept under version control and brought to other installations.

Operators and trunks without secrets, groups, schedules, own prompts, scenarios, common phones to forward to, numbers, campaigns
and the block list; names everywhere, and no ids. Contacts, leads, users, rates, operators' own phones and what calls have left
behind are of the daily business, and not part of it.
"""

from controller.actions.setups.documents import PromptDocument
from controller.actions.setups.files import read_folder, read_zip, setup_files, write_folder
from controller.actions.setups.reading import Setup, read_setup
from controller.actions.setups.taking_in import Change, Sounds, Taken, sounds_to_convert, take_in

__all__ = [
    "Change",
    "PromptDocument",
    "Setup",
    "Sounds",
    "Taken",
    "read_folder",
    "read_setup",
    "read_zip",
    "setup_files",
    "sounds_to_convert",
    "take_in",
    "write_folder",
]
