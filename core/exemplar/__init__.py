"""Painting an object of a reference picture into a photo (Paint by Example, Yang et al. 2023)."""
