from __future__ import annotations

import pytest
import torch
from recompose.core import caption

BEAMS = {"search": "beams", "num_beams": 3}


@pytest.mark.parametrize(
    ("pieces", "clean"),
    [
        ("a man stand ##ing in a t - shirt", "a man standing in a t-shirt"),
        ("##s on a table", "s on a table"),
        ("a woman ' s hat , red", "a woman's hat, red"),
        ("he isn ' t there .", "he isn't there."),
        ("the dogs ' house", "the dogs ' house"),
        ("a black - and - white cat -", "a black-and-white cat"),
        ("what ? ! ( yes )", "what?! (yes)"),
        ("", ""),
        (", ,", ""),
    ],
)
def test_word_pieces_become_a_caption_as_one_writes_it(pieces: str, clean: str) -> None:
    assert caption.clean_caption(pieces.split()) == clean
    assert caption.tidy(clean) == clean, "tidying twice changes nothing"


@pytest.mark.parametrize(
    ("given", "kept"), [("  A Photo\n of  ", "a photo of"), ("", ""), (" ", ""), ("ÄTNA", "ätna")]
)
def test_the_prompt_is_lower_case_with_single_spaces(given: str, kept: str) -> None:
    assert caption.normalize_prompt(given) == kept


def test_the_caption_is_what_follows_the_prompt_and_precedes_the_first_separator() -> None:
    assert caption.prompt_layout([7, 8], bos=30522, sep=102) == [30522, 7, 8, 102]
    assert caption.new_ids([30522, 7, 8, 9, 5, 102, 0, 0], prompt_length=3, sep=102) == [9, 5]
    assert caption.new_ids([30522, 9, 5], prompt_length=1, sep=102) == [9, 5]
    assert caption.new_ids([30522, 102, 9, 102, 5], prompt_length=2, sep=102) == [9], (
        "a separator in the prompt"
    )


def test_wording_reads_both_searches() -> None:
    beams = caption.wording(" A  photo ", BEAMS, 5, 30, 1.1)
    assert beams == caption.Wording("a photo", 3, None, 5, 30, 1.1)
    search = {"search": "nucleus", "top_p": 0.8, "temperature": 0.7, "seed": 9}
    assert caption.wording("", search, 0, 1, 1).nucleus == caption.Nucleus(0.8, 0.7, 9)


@pytest.mark.parametrize(("least", "most"), [(31, 30), (0, 0), (-1, 4)])
def test_impossible_lengths_are_refused(least: int, most: int) -> None:
    with pytest.raises(ValueError, match="min_new_tokens"):
        caption.wording("", BEAMS, least, most, 1.0)


def test_an_unknown_search_is_refused() -> None:
    with pytest.raises(ValueError, match="beams or nucleus but is guess"):
        caption.wording("", {"search": "guess"}, 5, 30, 1.0)


def test_a_preprocessor_file_is_read_and_its_gaps_filled_with_the_published_values() -> None:
    assert caption.preprocessing({}) == caption.Preprocessing()
    own = {
        "size": {"height": 96, "width": 96},
        "image_mean": [0.1, 0.2, 0.3],
        "resample": 2,
        "do_rescale": False,
    }
    how = caption.preprocessing(own, 96)
    assert how == caption.Preprocessing(96, 96, 2, 1.0, (0.1, 0.2, 0.3), caption.STD)
    assert caption.preprocessing({"size": 96, "do_normalize": False}, 96).std == (1.0, 1.0, 1.0)


def test_a_size_the_model_does_not_take_is_refused() -> None:
    with pytest.raises(ValueError, match=r"128×96 .* 96×96"):
        caption.preprocessing({"size": {"height": 96, "width": 128}}, 96)


def test_pictures_of_any_shape_become_normalised_squares() -> None:
    images = torch.zeros(2, 4, 7, 13)
    images[0, 0], images[0, 3] = 1.0, 0.5  # red, and an alpha that must not matter
    images[1, 2, :, :6] = 1.0  # the left of the second picture is blue
    before = images.clone()
    pixels = caption.prepare(images, caption.Preprocessing(20, 20))
    assert pixels.shape == (2, 3, 20, 20)
    assert pixels.dtype == torch.float32
    mean, std = torch.tensor(caption.MEAN), torch.tensor(caption.STD)
    red = (torch.tensor([1.0, 0, 0]) - mean) / std
    torch.testing.assert_close(pixels[0], red[:, None, None].expand(3, 20, 20))
    torch.testing.assert_close(pixels[1, 2, :, 0], ((1 - mean[2]) / std[2]).expand(20))
    torch.testing.assert_close(pixels[1, 2, :, -1], (-mean[2] / std[2]).expand(20))
    assert torch.equal(images, before)


def test_pictures_are_rounded_to_8_bits_first() -> None:
    how = caption.Preprocessing(1, 1, mean=(0, 0, 0), std=(1, 1, 1))
    grey = torch.tensor([99.6 / 255, -0.2, 1.7])[None, :, None, None]
    assert (caption.prepare(grey, how).flatten() * 255).round().tolist() == [100, 0, 255]


def test_the_likeliest_after_a_gumbel_draw_follows_the_softmax() -> None:
    logits = torch.tensor([2.0, 1.0, 0.0, -1.0, -torch.inf], dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    draws = torch.stack([(logits + caption.gumbel(5, generator)).argmax() for _ in range(4000)])
    counts, expected = torch.bincount(draws, minlength=5), logits.softmax(0) * 4000
    assert counts[4] == 0
    # chi-square with 3 degrees of freedom: above 16.3 with probability 0.1 %
    assert ((counts - expected)[:4] ** 2 / expected[:4]).sum() < 16.3


def test_the_seed_of_a_picture_is_the_first_seed_and_its_number() -> None:
    together = [caption.gumbel(3, generator) for generator in caption.generators(11, 4)]
    later = [caption.gumbel(3, generator) for generator in caption.generators(11, 2, first=2)]
    assert torch.equal(together[2], later[0])
    assert torch.equal(together[3], later[1])
    assert not torch.equal(together[0], together[1])
    assert len(caption.generators(caption.SEEDS - 1, 2)) == 2, "the greatest seed has a successor"
