"""Which points make a person, which lines join them, in which order and colours: tables, nothing else.

R and L are the person's own right and left. Points 0–17 are COCO-18 as OpenPose orders it, 18–23 the feet.
"""

from __future__ import annotations

NOSE, NECK = 0, 1
R_SHOULDER, R_ELBOW, R_WRIST = 2, 3, 4
L_SHOULDER, L_ELBOW, L_WRIST = 5, 6, 7
R_HIP, R_KNEE, R_ANKLE = 8, 9, 10
L_HIP, L_KNEE, L_ANKLE = 11, 12, 13
R_EYE, L_EYE, R_EAR, L_EAR = 14, 15, 16, 17
L_BIG_TOE, L_SMALL_TOE, L_HEEL = 18, 19, 20
R_BIG_TOE, R_SMALL_TOE, R_HEEL = 21, 22, 23

BODY_POINTS, FOOT_POINTS, HAND_POINTS, FACE_POINTS = 18, 6, 21, 70
POINTS = BODY_POINTS + FOOT_POINTS

BODY_KEY, FOOT_KEY, FACE_KEY = "pose_keypoints_2d", "foot_keypoints_2d", "face_keypoints_2d"
HAND_LEFT_KEY, HAND_RIGHT_KEY = "hand_left_keypoints_2d", "hand_right_keypoints_2d"
KEYS = {
    BODY_KEY: BODY_POINTS,
    FOOT_KEY: FOOT_POINTS,
    FACE_KEY: FACE_POINTS,
    HAND_LEFT_KEY: HAND_POINTS,
    HAND_RIGHT_KEY: HAND_POINTS,
}

# The order in which OpenPose's drawing paints them; limb i has colour i.
LIMBS = (
    (NECK, R_SHOULDER),
    (NECK, L_SHOULDER),
    (R_SHOULDER, R_ELBOW),
    (R_ELBOW, R_WRIST),
    (L_SHOULDER, L_ELBOW),
    (L_ELBOW, L_WRIST),
    (NECK, R_HIP),
    (R_HIP, R_KNEE),
    (R_KNEE, R_ANKLE),
    (NECK, L_HIP),
    (L_HIP, L_KNEE),
    (L_KNEE, L_ANKLE),
    (NECK, NOSE),
    (NOSE, R_EYE),
    (R_EYE, R_EAR),
    (NOSE, L_EYE),
    (L_EYE, L_EAR),
)
# One limb per foot point, so that limb i has colour i here too.
FOOT_LIMBS = (
    (L_ANKLE, L_BIG_TOE),
    (L_ANKLE, L_SMALL_TOE),
    (L_ANKLE, L_HEEL),
    (R_ANKLE, R_BIG_TOE),
    (R_ANKLE, R_SMALL_TOE),
    (R_ANKLE, R_HEEL),
)
COLORS = (
    (255, 0, 0),
    (255, 85, 0),
    (255, 170, 0),
    (255, 255, 0),
    (170, 255, 0),
    (85, 255, 0),
    (0, 255, 0),
    (0, 255, 85),
    (0, 255, 170),
    (0, 255, 255),
    (0, 170, 255),
    (0, 85, 255),
    (0, 0, 255),
    (85, 0, 255),
    (170, 0, 255),
    (255, 0, 255),
    (255, 0, 170),
    (255, 0, 85),
)
FOOT_COLORS = (
    (160, 255, 255),
    (110, 220, 255),
    (60, 190, 255),
    (160, 255, 200),
    (110, 220, 160),
    (60, 190, 120),
)
HAND_EDGES = tuple(
    edge
    for tip in (0, 4, 8, 12, 16)
    for edge in ((0, tip + 1), (tip + 1, tip + 2), (tip + 2, tip + 3), (tip + 3, tip + 4))
)

# Each point's counterpart when the picture is mirrored.
MIRRORED = (0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16, 21, 22, 23, 18, 19, 20)

# BODY_25 and COCO-WholeBody rows for the points 0–17; −1: the neck, midway between the shoulders.
BODY_25_BODY = (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)
BODY_25_FEET = (19, 20, 21, 22, 23, 24)
WHOLEBODY_BODY = (0, -1, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
WHOLEBODY_FEET = (17, 18, 19, 20, 21, 22)
WHOLEBODY_FACE = (*range(23, 91), 2, 1)
WHOLEBODY_HAND_LEFT = tuple(range(91, 112))
WHOLEBODY_HAND_RIGHT = tuple(range(112, 133))
# Halpe-26: COCO's 17 points, the crown, neck and middle of the hips, and the big toes, small toes and heels.
HALPE_BODY = (0, 18, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
HALPE_FEET = (20, 22, 24, 21, 23, 25)

LEGS = {"left leg": (L_HIP, L_KNEE, L_ANKLE), "right leg": (R_HIP, R_KNEE, R_ANKLE)}
