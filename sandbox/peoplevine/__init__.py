"""Peoplevine, pretended."""
