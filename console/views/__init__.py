"""The console's screens, a blueprint each."""
