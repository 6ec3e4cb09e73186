"""Figures of the nodes that follow attention: Shape Guard."""
