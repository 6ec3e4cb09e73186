"""Drawings of strokes: their format, their rasteriser, lines taken from pictures."""
