"""Telling people outside the console what needs them."""
