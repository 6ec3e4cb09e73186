"""Paint by Example on ComfyUI's models."""
