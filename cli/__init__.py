"""The command bellhop."""
