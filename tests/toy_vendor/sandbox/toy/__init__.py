"""The vendor that lends toys, pretended."""
