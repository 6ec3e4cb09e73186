"""Concepts on ComfyUI's models: loaded, merged, saved, trained."""
