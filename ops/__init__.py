"""The people's side: the command, the archive of dead letters, replay, metrics and logs."""
