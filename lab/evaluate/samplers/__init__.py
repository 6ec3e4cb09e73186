"""Samplers judged on worlds whose inpaintings are known exactly."""
