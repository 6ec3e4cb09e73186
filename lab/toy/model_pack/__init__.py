"""Link this folder into custom_nodes of the demo's own ComfyUI; it adds no node."""


async def comfy_entrypoint():
    from .registration import HostPack

    return HostPack()
