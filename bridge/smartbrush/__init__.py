"""SmartBrush on ComfyUI's models and masks."""
