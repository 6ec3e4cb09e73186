"""Trainings outside of a server: the part of cli that uses bridge."""
