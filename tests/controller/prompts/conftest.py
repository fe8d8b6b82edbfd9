from tests.fixtures.soundfiles import asterisk_sounds

__all__ = ["asterisk_sounds"]
