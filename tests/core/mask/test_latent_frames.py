from __future__ import annotations

import pytest
import torch
from recompose.core.mask import latent_frames


def causal(step: int):
    """The rule of most video VAEs: one frame, then `step` frames to a latent frame."""
    return lambda count: (count + step - 1) // step


def in_chunks(count: int) -> int:
    """17 frames to 5 latent frames, after 5 to 2."""
    return max(1, (count - 5) // 17 * 5 + 2) if count > 1 else 1


def frame(number: int, frames: int) -> torch.Tensor:
    cells = torch.zeros(frames, 1, 4, 5)
    cells[number, 0, 2, 3] = 1
    return cells


@pytest.mark.parametrize(("step", "frames"), [(4, 81), (4, 9), (6, 25), (8, 33), (4, 1)])
def test_every_frame_is_repainted_in_the_latent_frame_that_holds_it(step: int, frames: int) -> None:
    count = causal(step)(frames)
    for number in range(frames):
        joined, per_frame = latent_frames.join_frames(frame(number, frames), count, causal(step))
        assert joined.shape == (1, 1, count, 4, 5)
        holder = 0 if number == 0 else (number - 1) // step + 1
        assert joined.nonzero().tolist() == [[0, 0, holder, 2, 3]]
        together = [0] if holder == 0 else list(range((holder - 1) * step + 1, holder * step + 1))
        assert per_frame[:, 0, 2, 3].nonzero().flatten().tolist() == together


@pytest.mark.parametrize(("step", "frames"), [(4, 81), (6, 25), (8, 33)])
def test_without_a_rule_no_frame_is_lost(step: int, frames: int) -> None:
    count = causal(step)(frames)
    for number in range(frames):
        joined, per_frame = latent_frames.join_frames(frame(number, frames), count, None)
        found = joined[0, 0, :, 2, 3].nonzero().flatten().tolist()
        assert (0 if number == 0 else (number - 1) // step + 1) in found and len(found) <= 4
        assert per_frame[number, 0, 2, 3] == 1


def test_a_vae_that_works_in_chunks_fills_several_latent_frames_at_once() -> None:
    joined, per_frame = latent_frames.join_frames(frame(9, 39), 12, in_chunks)
    assert joined[0, 0, :, 2, 3].nonzero().flatten().tolist() == [2, 3, 4, 5, 6]
    assert per_frame[:, 0, 2, 3].nonzero().flatten().tolist() == list(range(5, 22))


def test_frames_that_a_vae_drops_count_to_its_last() -> None:
    joined, _ = latent_frames.join_frames(frame(11, 12), 3, lambda count: (count - 1) // 4 + 1)
    assert joined[0, 0, :, 2, 3].tolist() == [0, 0, 1]


def test_masks_of_the_latents_own_frames_stay() -> None:
    cells = (torch.rand(7, 1, 4, 5, generator=torch.manual_seed(2)) < 0.3).float()
    for length in (None, causal(4)):
        joined, per_frame = latent_frames.join_frames(cells, 7, length)
        assert torch.equal(joined[0, 0], cells[:, 0]) and torch.equal(per_frame, cells)


def test_one_mask_is_every_frames() -> None:
    cells = torch.cat([frame(0, 1), torch.zeros(1, 1, 4, 5)])
    two = latent_frames.over_frames(cells, 3, 2)
    assert two.shape == (2, 1, 3, 4, 5) and two[0].sum() == 3 and two[1].sum() == 0
