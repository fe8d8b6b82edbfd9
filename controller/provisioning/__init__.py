"""Finding, configuring and running the Asterisk that belongs to this installation."""
