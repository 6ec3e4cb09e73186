"""Painting a thing by words and by a mask of any precision (SmartBrush, Xie et al. 2023)."""
