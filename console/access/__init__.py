"""Who may what: passwords, sessions, roles, and how often somebody may try."""
