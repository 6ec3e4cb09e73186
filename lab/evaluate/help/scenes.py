"""What the pictures of the help pages show: every node of the pack on the demo photo, in one prompt."""

from __future__ import annotations

from typing import Any

from PIL import Image, ImageDraw

from ....cli import demo
from ...toy import prompt as toy
from . import attention, brush, inversion, shape, word_maps
from .graph import Graph

TEXT_TO_IMAGE, INPAINT = "recompose_demo.safetensors", toy.MODELS["checkpoint"]
WORDS = "a man with curly white hair in a {} shirt and {} trousers standing with hands on hips in a meadow"
PERSON = (128, 184)  # the size of the main job's result, in which a whole person stands
# Boxes in the result's pixels, and what its words say then. The toy models know whole persons best.
SHIRT, TROUSERS, CLOUD = (34, 49, 98, 111), (36, 97, 96, 159), (80, 8, 126, 48)
GREEN, BLUE, SAME = (
    WORDS.format("green", "purple"),
    WORDS.format("pink", "blue"),
    WORDS.format("pink", "purple"),
)
STROKE, DISC = [(20, 120), (45, 96), (70, 112), (112, 60)], (44, 26, 88, 70)  # in the photo's pixels
STEPS, CFG = 50, toy.SAMPLING["cfg"]
GAINS, RESAMPLINGS = (0.0, 0.5), (1, 4)
SCHEDULES = ("inpaint", "normal")


def masks(photo: tuple[int, int]) -> dict[str, Image.Image]:
    """Masks as a user would paint them, white = repaint; `photo` is the demo photo's size."""
    boxes = {"shirt": SHIRT, "trousers": TROUSERS, "cloud": CLOUD}
    found = {name: Image.new("L", PERSON) for name in boxes}
    for name, box in boxes.items():
        ImageDraw.Draw(found[name]).rectangle(box, 255)
    found |= {name: Image.new("L", photo) for name in ("stroke", "disc")}
    ImageDraw.Draw(found["stroke"]).line(STROKE, 255, 1)
    ImageDraw.Draw(found["disc"]).ellipse(DISC, 255)
    return found | shape.masks()


def build(photo: str, pose: str, painted: dict[str, str]) -> Graph:
    """The prompt. `photo` and `painted` are files in the server's input folder, `pose` OpenPose JSON."""
    graph = Graph(toy.compose(demo.parser().parse_args([]), pose))
    demo.put(graph.prompt, "Photo.image", photo)
    image = graph.titled("Photo")
    mask = {
        name: graph.add("LoadImageMask", image=file, channel="red")
        for name, file in painted.items()
        if name != brush.PHOTO
    }
    graph.show("photo", image)
    main_job(graph)
    pose_nodes(graph, image)
    mask_nodes(graph, mask)
    person = graph.titled("Stitch Back")
    patches(graph, person, mask)
    painting = Inpainting(graph, person)
    samplers(graph, painting, mask)
    inversion.build(graph, painting, SAME, GREEN)
    attention.build(graph, painting, graph.titled("Draw Pose"))
    word_maps.build(graph, painting, SAME)
    brush.build(graph, painted[brush.PHOTO])
    shape.build(graph, mask)
    return graph


def main_job(graph: Graph) -> None:
    """The pictures on the way of the workflow full_body."""
    extended, crop = graph.titled("Extend Canvas"), graph.titled("Crop to Region")
    graph.show("canvas", extended)
    graph.show_mask("new area", [extended, 1])
    graph.show("crop", crop)
    graph.show_text("context", [crop, 4])
    graph.show("generated", graph.titled("Decode the ControlNet Pass"))
    graph.show("result", graph.titled("Stitch Back"))
    graph.show("captioned", graph.titled("Crop the Person"))
    graph.show_text("caption", graph.titled("Caption"))
    graph.show_mask("limbs", graph.titled("Limb Mask"))
    drawn = {"stick_width": toy.STICK_WIDTH, "hands": True, "face": True, "threshold": 0.3}
    graph.show("pose", graph.add("RecomposeDrawPose", pose=graph.titled("Load Pose"), feet=False, **drawn))
    graph.show("whole pose", graph.add("RecomposeDrawPose", pose=[extended, 3], feet=True, **drawn))


def pose_nodes(graph: Graph, image: str) -> None:
    """What a detector finds, and the mask around an arm."""
    detected = graph.add(
        "RecomposeDetectPose",
        image=image,
        detector="keypoint model",
        detector__model=toy.DETECTOR,
        threshold=0.3,
    )
    graph.show("detected", [detected, 1])
    arm = graph.add(
        "RecomposeLimbMask",
        pose=[graph.titled("Extend Canvas"), 3],
        parts="left arm",
        width=12.0,
        allow_repainting_photo=True,
        threshold=0.3,
    )
    graph.show_mask("arm", arm)


def mask_nodes(graph: Graph, mask: dict[str, str]) -> None:
    """A disc that grows and softens, a thin stroke that is widened to cells."""

    def feathered(grow: float, feather: float) -> str:
        soft = {"direction": "both", "shape": "cosine", "border_is_edge": False}
        return graph.add("RecomposeFeatherMask", mask=mask["disc"], grow=grow, feather=feather, **soft)

    graph.show_mask("disc", mask["disc"])
    graph.show_mask("grown", feathered(12, 0))
    graph.show_mask("feathered", feathered(0, 24))
    graph.show_mask("stroke", mask["stroke"])
    snapped = graph.add("RecomposeSnapMaskToLatent", mask=mask["stroke"], grow_cells=0, ratio=8)
    graph.show_mask("snapped", [snapped, 0])


def patches(graph: Graph, person: str, mask: dict[str, str]) -> None:
    """Trousers and sky repainted apart, each with its own words, by the inpaint checkpoint."""
    checkpoint = graph.add("CheckpointLoaderSimple", ckpt_name=INPAINT)
    negative = graph.add("CLIPTextEncode", clip=[checkpoint, 1], text="")
    width, height = PERSON
    sizes = {"width": width, "height": height, "multiple_of": 8, "rescale_tolerance": 1.25}
    made: dict[str, Any] = {}
    for index, (name, words) in enumerate((("trousers", BLUE), ("cloud", SAME))):
        crop = graph.add(
            "RecomposeCropToRegion",
            **{
                "image": person,
                "mask": mask[name],
                "crop_to": "mask",
                "fit": "area",
                "margin": 200.0,
                **sizes,
            },
        )
        shown = graph.add(
            "InpaintModelConditioning",
            positive=graph.add("CLIPTextEncode", clip=[checkpoint, 1], text=words),
            **{"negative": negative, "vae": [checkpoint, 2], "pixels": crop, "mask": [crop, 1]},
            noise_mask=True,
        )
        given = {"model": checkpoint, "positive": shown, "negative": [shown, 1], "latent_image": [shown, 2]}
        latent = graph.add("KSampler", **given, seed=2, denoise=1.0, **toy.SAMPLING)
        decoded = graph.add("VAEDecode", samples=latent, vae=[checkpoint, 2])
        patch = {"generated": decoded, "mask": [crop, 1], "context": [crop, 4]}
        made[f"patches__patch{index}"] = graph.add("RecomposePatch", **patch)
    graph.show("patched", graph.add("RecomposeStitchBack", original=person, mode="strict", **made))
    for name in ("shirt", "trousers", "cloud"):
        graph.show_mask(name, mask[name])


class Inpainting:
    """Parts of the person repainted by the text-to-image checkpoint."""

    def __init__(self, graph: Graph, person: str) -> None:
        self.graph, self.person = graph, person
        self.model = graph.add("CheckpointLoaderSimple", ckpt_name=TEXT_TO_IMAGE)
        self.vae = [self.model, 2]
        self.encoded = graph.add("VAEEncode", pixels=person, vae=self.vae)

    def words(self, text: str) -> str:
        """The conditioning of these words."""
        return self.graph.add("CLIPTextEncode", clip=[self.model, 1], text=text)

    def masked(self, mask: str) -> str:
        """The snapped mask (output 0) and the latent with it (output 1)."""
        return self.graph.add(
            "RecomposeSnapMaskToLatent", mask=mask, grow_cells=0, ratio=8, vae=self.vae, samples=self.encoded
        )

    def stitched(self, name: str, samples: str, snapped: str) -> None:
        """Show the result in the picture."""
        decoded = self.graph.add("VAEDecode", samples=samples, vae=self.vae)
        parts = {"original": self.person, "generated": decoded, "mode": "strict", "mask": snapped}
        self.graph.show(name, self.graph.add("RecomposeStitchBack", **parts))

    def whole(self, name: str, node: str, mask: str, words: str, seed: int, **settings: Any) -> None:
        """Show what an all-in-one node paints."""
        latent = self.masked(mask)
        given = {"model": self.model, "positive": self.words(words), "negative": self.words("")}
        given |= {"latent": [latent, 1], "cfg": CFG, "seed": seed, "denoise": 1.0}
        self.stitched(name, self.graph.add(node, **given, **settings), latent)

    def custom(self, name: str, sampler: str, sigmas: str, mask: str, seed: int) -> None:
        """Show what a sampler paints in SamplerCustom: the shirt in green."""
        latent = self.masked(mask)
        given = {"model": self.model, "positive": self.words(GREEN), "negative": self.words("")}
        given |= {"latent_image": [latent, 1], "cfg": CFG, "noise_seed": seed, "add_noise": True}
        made = self.graph.add("SamplerCustom", sampler=sampler, sigmas=sigmas, **given)
        self.stitched(name, made, latent)


def samplers(graph: Graph, inpaint: Inpainting, mask: dict[str, str]) -> None:
    """Each of the inpaint samplers; the seeds show what its settings change."""
    trousers, cloud = mask["trousers"], mask["cloud"]
    inpaint.whole("lagrange", "RecomposeLagrangeInpaint", trousers, BLUE, 1, steps=STEPS, scheduler="inpaint")
    inpaint.whole("repaint", "RecomposeRePaint", cloud, SAME, 1, preset="better", scheduler="kl_optimal")
    own = graph.add("RecomposeInpaintScheduler", model=inpaint.model, steps=STEPS, denoise=1.0)
    basic = {"model": inpaint.model, "denoise": 1.0}
    normal = graph.add("BasicScheduler", scheduler="normal", steps=STEPS, **basic)
    optimal = graph.add("BasicScheduler", scheduler="kl_optimal", steps=26, **basic)
    for name, sigmas in zip(SCHEDULES, (own, normal), strict=True):
        graph.show_text(f"sigmas {name}", sigmas)
    for gain in GAINS:
        settings = {"gain": gain, "momentum": 0.9, "eta": 1.0, "known_noise": 1.0}
        sampler = graph.add("RecomposeLagrangeSampler", **settings)
        inpaint.custom(f"gain {gain:g}", sampler, own, mask["shirt"], 1)
    for count in RESAMPLINGS:
        settings = {"jump_length": 4, "resamplings": count, "eta": 1.0, "start": 0.0, "end": 1.0}
        sampler = graph.add("RecomposeRePaintSampler", **settings)
        inpaint.custom(f"resamplings {count}", sampler, optimal, mask["shirt"], 3)
