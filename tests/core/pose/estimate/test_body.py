"""Which way a body looks, and where hips are put when neither shoulders nor hips are seen."""

from __future__ import annotations

import numpy as np
import pytest
from recompose.core.pose.estimate import body as bodies
from recompose.core.pose.estimate import proportions
from recompose.core.pose.estimate.legs import place_hips
from recompose.core.shapes import Size

Q = 800.0
HEAD, NECK_AND_SHOULDERS, HIPS = [0, 14, 15, 16, 17], [1, 2, 5], [8, 11]


def seen(figure, person, shown: list[int], **joints: object) -> bodies.Body:
    """The body of whom only some points are seen."""
    rows = figure(q=Q, **joints)
    rows[np.isin(np.arange(24), shown, invert=True)] = 0
    given = person(rows)
    q = proportions.stature(given)
    assert q == pytest.approx(Q)
    return bodies.read(given, q, Size(823, 1001))


@pytest.mark.parametrize("head", [HEAD, [16, 17], [14, 15]], ids=["whole", "ears", "eyes"])
def test_without_shoulders_the_hips_hang_from_the_head(figure, person, head) -> None:
    body = seen(figure, person, [*head, 9, 10])
    place_hips(body)
    np.testing.assert_allclose(body.points[HIPS], figure(q=Q)[HIPS, :2], atol=1e-9)
    assert body.present[HIPS].all()


@pytest.mark.parametrize("leg", [(9, 10), (12, 13)], ids=["right", "left"])
def test_without_a_head_the_hips_stand_on_a_knee(figure, person, leg) -> None:
    body = seen(figure, person, list(leg))
    place_hips(body)
    np.testing.assert_allclose(body.points[HIPS], figure(q=Q)[HIPS, :2], atol=1e-9)


def test_without_a_knee_too_there_are_no_hips(figure, person) -> None:
    body = seen(figure, person, [3, 4])
    place_hips(body)
    assert not body.present[HIPS].any()


@pytest.mark.parametrize(("yaw", "facing"), [(90, 1), (-90, -1)], ids=["right", "left"])
def test_whoever_bows_looks_where_the_shoulders_are(figure, person, yaw, facing) -> None:
    without_head = [*NECK_AND_SHOULDERS, *HIPS, 9, 10, 12, 13]
    assert seen(figure, person, without_head, yaw=yaw, bow=45).facing == facing
    assert seen(figure, person, without_head, yaw=yaw, bow=20).facing == 0
