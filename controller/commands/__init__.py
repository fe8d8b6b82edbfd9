"""The commands of `python -m controller`, a file for each subject. They stand above all floors."""
