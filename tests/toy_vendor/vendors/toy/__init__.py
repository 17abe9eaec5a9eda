"""A vendor that lends toys: the third one, which tests add."""
