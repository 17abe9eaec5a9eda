"""The embedded broker: one durable SQLite file, for any number of processes of one user on one host."""
