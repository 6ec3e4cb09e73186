"""What would be done to a photo, without a ComfyUI: the only part of cli that uses core."""
