"""Exemplar Conditioning: rows, means, masks, and what it says of what cannot be used."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.core.exemplar import reference
from recompose.tests.in_comfyui.exemplar.conftest import SIDE, Published, layouts_of
from torch import Tensor

PER_ROW, AVERAGED = "one per row", "averaged"
PHOTO = torch.rand(1, 64, 80, 3, generator=torch.Generator().manual_seed(1))
REFERENCES = torch.rand(3, 40, 28, 3, generator=torch.Generator().manual_seed(2))
MASK = torch.zeros(1, 64, 80)
MASK[:, 11:37, 22:57] = 1
CELLS = torch.zeros(1, 1, 8, 10)
CELLS[..., 1:5, 2:8] = 1


@pytest.fixture(scope="module")
def loaded(published: Published, load: ModuleType) -> Any:
    return load.load_exemplar(layouts_of(published)["original"])


@pytest.fixture(scope="module")
def made(loaded: Any, conditioning: ModuleType) -> Any:
    """Calls the node's function with other inputs in place of sound ones."""

    def call(**other: Any) -> Any:
        given = {
            "encoder": loaded[2], "references": REFERENCES[:1], "photo": PHOTO, "mask": MASK,
            "vae": loaded[1], "several": PER_ROW,
        }  # fmt: skip
        with torch.inference_mode():
            return conditioning.condition(**given | other)

    return call


def words(encoder: Any, *pictures: Tensor) -> Tensor:
    return encoder.encode(torch.stack([reference.seen(each.movedim(-1, 0), SIDE) for each in pictures]))


def test_whole_cells_are_masked_in_the_latent_and_for_the_model(made: Any, loaded: Any) -> None:
    positive, negative, latent = made()
    ((_, more),), ((null, _),) = positive, negative
    assert torch.equal(more["concat_mask"], CELLS) and torch.equal(latent["noise_mask"], CELLS)
    assert torch.equal(null, loaded[2].null) and null.shape == (1, 1, 16)
    masked = PHOTO.clone()
    masked[:, 8:40, 16:64] = 0.5
    with torch.inference_mode():
        assert torch.equal(more["concat_latent_image"], loaded[1].encode(masked))
        assert torch.equal(latent["samples"], loaded[1].encode(PHOTO))


def test_each_reference_makes_a_row(made: Any, loaded: Any) -> None:
    positive, _, latent = made(references=REFERENCES)
    assert torch.allclose(positive[0][0], words(loaded[2], *REFERENCES), atol=1e-6)
    assert len(latent["samples"]) == len(latent["noise_mask"]) == 3
    photos = torch.cat([PHOTO, PHOTO.flip(1), PHOTO.flip(2)])
    positive, _, latent = made(photo=photos, mask=MASK.repeat(3, 1, 1))
    assert positive[0][0].shape == (1, 1, 16) and len(latent["samples"]) == 3


def test_several_views_are_averaged_after_the_projection(made: Any, loaded: Any) -> None:
    positive, _, latent = made(references=REFERENCES, several=AVERAGED)
    mean = words(loaded[2], *REFERENCES).mean(0, keepdim=True)
    assert torch.allclose(positive[0][0], mean, atol=1e-6) and len(latent["samples"]) == 1
    assert not torch.allclose(mean, words(loaded[2], REFERENCES.mean(0)), atol=1e-3)


def test_a_reference_mask_leaves_the_object_alone(made: Any, loaded: Any) -> None:
    mask = torch.zeros(1, 40, 28)
    mask[:, 8:29, 3:20] = 1
    other = REFERENCES[:1].clone()
    other[:, :8], other[:, 29:], other[:, :, :3], other[:, :, 20:] = 1, 0, 0.3, 0.9
    first, second = (made(references=each, reference_mask=mask)[0][0][0] for each in (REFERENCES[:1], other))
    assert torch.equal(first, second)
    assert torch.allclose(first, words(loaded[2], REFERENCES[0, 8:29, 3:20]), atol=1e-6)
    none = torch.zeros(1, 64, 64)  # Load Image's, of a picture without transparency
    assert torch.equal(made(reference_mask=none)[0][0][0], made()[0][0][0])


def test_a_photo_that_fills_no_whole_cells_is_cut_with_a_notice(made: Any) -> None:
    from recompose.bridge import notices

    with notices.collect() as found:
        _, _, latent = made(photo=torch.rand(1, 67, 83, 3), mask=torch.nn.functional.pad(MASK, (1, 2, 1, 2)))
    assert latent["samples"].shape == (1, 4, 8, 10) and torch.equal(latent["noise_mask"], CELLS)
    assert "the photo is cut from 83×67 to 80×64 px" in str(found.ui())


class OtherVae:
    latent_channels = 16

    def spacial_compression_encode(self) -> int:
        return 8


WRONG = [
    ({"mask": torch.zeros(1, 64, 80)}, "the mask is empty; paint where the object is to be"),
    ({"mask": torch.zeros(1, 64, 64)}, "The mask is Load Image's empty one"),
    ({"mask": torch.cat([MASK, 0 * MASK])}, "the mask is empty"),
    ({"mask": torch.ones(1, 30, 30)}, "mask is 30×30 but the picture is 80×64"),
    ({"references": torch.rand(1, 1, 1, 3)}, "the object in the reference is 1×1 px; connect one of at"),
    ({"references": torch.rand(2, 9, 9, 3), "photo": PHOTO.repeat(3, 1, 1, 1)},
     "they are references 2, photo 3, mask 1; connect a reference for each row, or choose averaged"),
    ({"reference_mask": torch.zeros(1, 40, 28)}, "the mask of the reference is empty"),
    ({"reference_mask": torch.ones(2, 40, 28), "references": REFERENCES}, "a batch of 2 but 3 is needed"),
    ({"photo": PHOTO * torch.nan}, "photo holds NaN or infinite values"),
    ({"vae": OtherVae()}, "the VAE makes latents of 16 channels and an exemplar model takes 4"),
]  # fmt: skip


@pytest.mark.parametrize(("other", "words"), WRONG, ids=[words[:40] for _, words in WRONG])
def test_what_cannot_be_used_is_told_in_one_sentence(made: Any, other: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words) as raised:
        made(**other)
    assert str(raised.value).startswith("Exemplar Conditioning: ") and "\n" not in str(raised.value)
