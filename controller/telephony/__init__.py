"""The door to Asterisk: nothing of its libraries is seen outside this room."""
