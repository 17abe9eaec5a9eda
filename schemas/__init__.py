"""The words both halves agree on: envelope, events, settings, errors. No I/O."""
