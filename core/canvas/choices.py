"""What can be chosen for canvases, in a file of its own: the nodes' schemas list it as ComfyUI starts."""

ANCHORS = (
    "top left",
    "top",
    "top right",
    "left",
    "center",
    "right",
    "bottom left",
    "bottom",
    "bottom right",
)
LARGEST_SIDE = 16384
