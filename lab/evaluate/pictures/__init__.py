"""Inpaint samplers held against each other on pictures of the drawn world."""
