"""ComfyUI-Recompose: recompose a photograph and leave every other pixel untouched."""

from .nodes import RecomposeExtension

WEB_DIRECTORY = "./js"


async def comfy_entrypoint() -> RecomposeExtension:
    return RecomposeExtension()
