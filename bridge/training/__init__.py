"""Trainings of models that live in ComfyUI."""
