"""Access: passwords, sessions, roles, OpenID Connect, and the limit on failed sign-ins."""
