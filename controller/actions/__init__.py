"""What people may do.

Rules:
- An action takes the session of one transaction, checks, changes and adds its audit row; who runs it commits (`Database.run`).
- `acting_user` is the login of who does it, or what acts ("command line"); `at` is the moment, aware and in UTC.
- Nothing is changed when an action raises. The notice on the bus is sent by who ran it, after the commit.
"""
