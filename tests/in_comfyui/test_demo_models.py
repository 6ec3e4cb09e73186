"""The demo networks through ComfyUI's stock loaders compute what our training computes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

PROMPT = "a man with short black hair in a red shirt, blue trousers and black boots walking on a beach"


class Family:
    """The demo networks with random weights, and the files made of them."""

    def __init__(self, folder: Path) -> None:
        from recompose.core.pose import eye
        from recompose.lab.toy import assemble
        from recompose.lab.toy.models import captioner, networks, parts

        self.networks: dict[str, nn.Module] = {
            "vae": networks.autoencoder(1),
            "text": networks.text_encoder(2),
            "unet": networks.unet(networks.INPAINT_CHANNELS, seed=4),
            "openpose": networks.controlnet(seed=5),
            "captioner": captioner.captioner(6),
            "detector": eye.eye(7),
        }
        for name, network in self.networks.items():
            if name in ("unet", "openpose"):
                loud(network)
            parts.write(folder / "parts", name, network.state_dict(), {"steps": 0})
            parts.load(network, folder / "parts", name)
            network.eval().requires_grad_(False)
        self.files = assemble.assemble(folder / "parts", folder / "models")


def loud(network: nn.Module) -> None:
    """Give the layers that start at zero weights, or every comparison would be of zeros."""
    generator = torch.Generator().manual_seed(8)
    for parameter in network.parameters():
        if not parameter.any():
            parameter.data.copy_(0.05 * torch.randn(parameter.shape, generator=generator))


@pytest.fixture(scope="module")
def family(comfy: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Family:
    return Family(tmp_path_factory.mktemp("family"))


@pytest.fixture
def demo_sizes(comfy: ModuleType) -> Iterator[None]:
    """The small sizes registered, and taken back afterwards."""
    from comfy import supported_models
    from recompose.lab.toy.model_pack.registration import HostPack

    before = list(supported_models.models)
    asyncio.run(HostPack().on_load())
    yield
    supported_models.models[:] = before


def loaded(family: Family, name: str) -> tuple[Any, Any, Any]:
    """Model, CLIP and VAE as CheckpointLoaderSimple gives them."""
    import comfy.sd

    return comfy.sd.load_checkpoint_guess_config(
        str(family.files[f"checkpoints/{name}.safetensors"]), output_vae=True, output_clip=True
    )[:3]


def conditioning(clip: Any, text: str) -> list[list[Any]]:
    return clip.encode_from_tokens_scheduled(clip.tokenize(text))


def sampled(model: Any, positive: list, height: int, width: int) -> tuple[list[Tensor], list[Tensor], Tensor]:
    """What ComfyUI's sampler gave the model and what it got back at each step, and the sigmas."""
    import comfy.sample
    import comfy.samplers

    noisy: list[Tensor] = []
    clean: list[Tensor] = []

    def watch(step: int, denoised: Tensor, x: Tensor, total: int) -> None:
        noisy.append(x.clone())
        clean.append(denoised.clone())

    latent = torch.zeros(1, 4, height, width)
    noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(9))
    with torch.inference_mode():
        comfy.sample.sample(
            model, noise, 3, 1.0, "euler", "normal", positive, positive, latent, callback=watch, seed=1
        )
    sigmas = comfy.samplers.calculate_sigmas(model.get_model_object("model_sampling"), "normal", 3)
    return noisy, clean, sigmas


def step_of(sigma: Tensor) -> Tensor:
    """The training step at whose noise a sigma stands."""
    from recompose.lab.toy.models.diffusion import alphas_bar

    kept = alphas_bar()
    return (((1 - kept) / kept).sqrt().log() - sigma.log()).abs().argmin()


def velocity_of(x: Tensor, denoised: Tensor, sigma: Tensor) -> Tensor:
    """The velocity at x / sqrt(1 + sigma²) that means `denoised`."""
    return (x - (1 + sigma**2) * denoised) / (sigma * (1 + sigma**2).sqrt())


def states_of(family: Family, text: str) -> Tensor:
    from recompose.lab.toy.models import networks
    from recompose.lab.toy.models.tokenizer import Tokenizer, tokens

    return networks.text_states(family.networks["text"], tokens([text], Tokenizer()))


def test_the_noise_schedule_is_comfyuis(comfy: ModuleType, demo_sizes: None, family: Family) -> None:
    from recompose.lab.toy.models.diffusion import alphas_bar

    sampling = loaded(family, "recompose_demo")[0].get_model_object("model_sampling")
    kept = alphas_bar()
    torch.testing.assert_close(((1 - kept) / kept).sqrt(), sampling.sigmas, rtol=1e-4, atol=1e-5)


def test_words_mean_the_same(demo_sizes: None, family: Family) -> None:
    _, clip, _ = loaded(family, "recompose_demo")
    theirs = conditioning(clip, PROMPT)[0][0]
    torch.testing.assert_close(theirs, states_of(family, PROMPT), rtol=2e-3, atol=2e-3)


def test_pictures_and_latents_are_the_same(demo_sizes: None, family: Family) -> None:
    from recompose.lab.toy.models import networks

    vae, ours = loaded(family, "recompose_demo")[2], family.networks["vae"]
    picture = torch.rand(1, 40, 24, 3, generator=torch.Generator().manual_seed(2))
    latent = vae.encode(picture)
    torch.testing.assert_close(
        latent * networks.LATENT_SCALE, networks.encode(ours, picture.movedim(-1, 1)), rtol=1e-2, atol=1e-2
    )
    expected = networks.decode(ours, latent * networks.LATENT_SCALE).clamp(0, 1).movedim(1, -1)
    torch.testing.assert_close(vae.decode(latent), expected, rtol=2e-2, atol=1e-2)


def test_a_sampled_step_is_a_trained_step(demo_sizes: None, family: Family) -> None:
    model, clip, _ = loaded(family, "recompose_demo")
    assert model.model.model_config.unet_config["num_heads"] == 2
    noisy, clean, sigmas = sampled(model, conditioning(clip, PROMPT), 17, 16)
    unet = family.networks["unet"]
    nothing = torch.zeros(1, 5, 17, 16)  # mask and rest of the picture where words alone are painted
    for x, denoised, sigma in zip(noisy, clean, sigmas, strict=False):
        seen = torch.cat([x / (sigma**2 + 1).sqrt(), nothing], 1)
        velocity = unet(seen, step_of(sigma).float()[None], states_of(family, PROMPT))
        assert velocity.std() > 0.01
        torch.testing.assert_close(velocity_of(x, denoised, sigma), velocity, rtol=0.02, atol=0.01)


def inpaint_conditioning(family: Family) -> tuple[Any, list, Tensor]:
    """Model, conditioning and the extra channels as our training makes them, of a picture with a hole."""
    from recompose.lab.toy.models import networks
    from recompose.lab.toy.tensors import in_cells

    from nodes import InpaintModelConditioning

    model, clip, vae = loaded(family, "recompose_demo_inpaint")
    assert model.model.model_config.inpaint_model()
    picture = torch.rand(1, 136, 128, 3, generator=torch.Generator().manual_seed(3))
    mask = torch.zeros(1, 136, 128)
    mask[:, 77:, 13:90] = 1
    words = conditioning(clip, PROMPT)
    positive, _, _ = InpaintModelConditioning().encode(words, words, picture, vae, mask, False)
    planes, hole = picture.movedim(-1, 1), mask[:, None]
    grey = networks.encode(family.networks["vae"], planes * (1 - hole) + 0.5 * hole)
    return model, positive, torch.cat([in_cells(hole), grey], 1)


def test_the_inpaint_model_sees_mask_and_rest_as_trained(demo_sizes: None, family: Family) -> None:
    model, positive, around = inpaint_conditioning(family)
    noisy, clean, sigmas = sampled(model, positive, 17, 16)
    unet = family.networks["unet"]
    for x, denoised, sigma in zip(noisy, clean, sigmas, strict=False):
        seen = torch.cat([x / (sigma**2 + 1).sqrt(), around], 1)
        velocity = unet(seen, step_of(sigma).float()[None], states_of(family, PROMPT))
        torch.testing.assert_close(velocity_of(x, denoised, sigma), velocity, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("on_inpaint", [False, True], ids=["text-to-image", "inpaint"])
def test_the_controlnet_steers_as_trained(demo_sizes: None, family: Family, on_inpaint: bool) -> None:
    import comfy.controlnet
    from recompose.lab.toy.control import controlled

    from nodes import ControlNetApplyAdvanced

    around = torch.zeros(1, 5, 17, 16)
    if on_inpaint:
        model, words, around = inpaint_conditioning(family)
    else:
        model, clip, _ = loaded(family, "recompose_demo")
        words = conditioning(clip, PROMPT)
    net = comfy.controlnet.load_controlnet(
        str(family.files["controlnet/recompose_demo_openpose.safetensors"])
    )
    hint = torch.rand(1, 136, 128, 3, generator=torch.Generator().manual_seed(4))
    positive, _ = ControlNetApplyAdvanced().apply_controlnet(words, words, net, hint, 1.0, 0.0, 1.0)
    noisy, clean, sigmas = sampled(model, positive, 17, 16)
    unet = family.networks["unet"]
    control, states = family.networks["openpose"], states_of(family, PROMPT)
    for x, denoised, sigma in zip(noisy, clean, sigmas, strict=False):
        scaled, step = x / (sigma**2 + 1).sqrt(), step_of(sigma)[None]
        seen = torch.cat([scaled, around], 1)
        velocity = controlled(unet, control, seen, hint.movedim(-1, 1), step, states)
        without = unet(seen, step.float(), states)
        assert (velocity - without).abs().max() > 0.05
        torch.testing.assert_close(velocity_of(x, denoised, sigma), velocity, rtol=0.02, atol=0.02)


def test_the_committed_models_load_when_stored_in_eight_bits(demo_sizes: None, tmp_path: Path) -> None:
    import comfy.controlnet
    import comfy.sd
    from recompose.lab.toy import assemble, table
    from recompose.lab.toy.models import eight_bits, parts
    from safetensors.torch import load_file

    for name, row in table.MODELS.items():
        weights, _ = parts.read(parts.FOLDER, name)
        own = {key.removeprefix(row.prefix): value for key, value in weights.items()}
        path = parts.write(tmp_path / "parts", name, own, {"steps": 0})
        assert any(key.endswith(eight_bits.SUFFIX) for key in load_file(path))
    files = assemble.assemble(tmp_path / "parts", tmp_path / "models")
    prefix = table.MODELS["unet"].prefix
    for name in ("recompose_demo", "recompose_demo_inpaint"):
        file = files[f"checkpoints/{name}.safetensors"]
        held = load_file(file)
        assert {value.dtype for value in held.values()} == {torch.float16}
        model, clip, vae = comfy.sd.load_checkpoint_guess_config(
            str(file), output_vae=True, output_clip=True
        )[:3]
        loaded_weights = model.model.diffusion_model.state_dict()
        own = {key.removeprefix(prefix): value for key, value in held.items() if key.startswith(prefix)}
        assert loaded_weights.keys() == own.keys()
        assert all(torch.equal(value.float(), own[key].float()) for key, value in loaded_weights.items())
        assert torch.isfinite(conditioning(clip, PROMPT)[0][0]).all()
        assert vae.decode(torch.zeros(1, 4, 5, 3)).shape == (1, 40, 24, 3)
    openpose = files["controlnet/recompose_demo_openpose.safetensors"]
    assert comfy.controlnet.load_controlnet(str(openpose)) is not None
