"""Drills: Bellhop's processes under load and faults, and a checker that decides from their record alone."""
