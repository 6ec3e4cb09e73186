"""Families of poses as ranges of joint angles."""

from __future__ import annotations

from collections.abc import Callable

from .body import Limb, Posture
from .chance import Chance


def frontal(chance: Chance) -> float:
    return chance.uniform(-22, 22)


def sideways(chance: Chance) -> float:
    return chance.sign() * chance.uniform(62, 92)


def any_view(chance: Chance) -> float:
    return frontal(chance) if chance.happens(0.5) else sideways(chance)


def hanging(chance: Chance) -> Limb:
    swing = chance.uniform(-8, 10)
    return Limb((swing, chance.uniform(7, 16)), (swing + chance.uniform(4, 22), chance.uniform(2, 8)))


def straight(chance: Chance) -> Limb:
    spread, swing = chance.uniform(1, 9), chance.uniform(-3, 3)
    return Limb((swing, spread), (swing - chance.uniform(0, 3), spread), outward=chance.uniform(8, 28))


def standing(chance: Chance) -> Posture:
    yaw = any_view(chance)
    return Posture(
        (straight(chance), straight(chance)),
        (hanging(chance), hanging(chance)),
        yaw,
        nod=chance.uniform(-4, 6),
    )


def stride(swing: float, bend: float, pitch: float) -> Limb:
    return Limb((swing, 0), (swing - bend, 0), pitch, 8)


def swung(swing: float, bend: float) -> Limb:
    return Limb((swing, 8), (swing + bend, 4))


def ordered(first: Limb, second: Limb, chance: Chance) -> tuple[Limb, Limb]:
    return (first, second) if chance.happens(0.5) else (second, first)


def walking(chance: Chance) -> Posture:
    step, arm = chance.uniform(19, 28), chance.uniform(18, 32)
    front = stride(step, chance.uniform(2, 10), chance.uniform(4, 14))
    back = stride(-step * 0.75, chance.uniform(14, 26), -chance.uniform(18, 30))
    legs = ordered(front, back, chance)
    arms = (swung(arm, 16), swung(-arm, 14)) if legs[0] is back else (swung(-arm, 14), swung(arm, 16))
    return Posture(legs, arms, chance.sign() * chance.uniform(55, 92), chance.uniform(1, 5))


def running(chance: Chance) -> Posture:
    if chance.happens(0.5):
        front = stride(chance.uniform(52, 68), chance.uniform(76, 98), -chance.uniform(5, 20))
        back = stride(-chance.uniform(18, 28), chance.uniform(12, 26), -chance.uniform(38, 52))
    else:
        front = stride(chance.uniform(20, 30), chance.uniform(22, 32), -chance.uniform(0, 6))
        back = stride(-chance.uniform(6, 18), chance.uniform(62, 84), -chance.uniform(52, 68))
    legs = ordered(front, back, chance)
    arm, bend = chance.uniform(30, 46), chance.uniform(78, 100)
    arms = (
        (swung(arm, bend), swung(-arm - 10, bend))
        if legs[0] is back
        else (swung(-arm - 10, bend), swung(arm, bend))
    )
    return Posture(legs, arms, chance.sign() * chance.uniform(62, 92), chance.uniform(8, 16))


def crossed_legs(chance: Chance) -> Posture:
    inward, open_ = chance.uniform(11, 15), chance.uniform(11, 15)
    front = Limb(
        (chance.uniform(7, 11), -inward), (chance.uniform(2, 6), -inward), outward=chance.uniform(10, 24)
    )
    back = Limb(
        (chance.uniform(-8, -4), -open_), (chance.uniform(-10, -6), -open_), outward=chance.uniform(10, 24)
    )
    return Posture(ordered(front, back, chance), (hanging(chance), hanging(chance)), chance.uniform(-14, 14))


def arms_up(chance: Chance) -> Posture:
    def raised() -> Limb:
        out = chance.uniform(132, 160)
        return Limb((0, out), (0, min(out + chance.uniform(5, 28), 178)))

    return Posture(
        (straight(chance), straight(chance)), (raised(), raised()), frontal(chance), nod=-chance.uniform(0, 5)
    )


def hands_on_hips(chance: Chance) -> Posture:
    def akimbo() -> Limb:
        return Limb(
            (-chance.uniform(8, 16), chance.uniform(40, 50)),
            (chance.uniform(10, 18), -chance.uniform(54, 64)),
        )

    return Posture((straight(chance), straight(chance)), (akimbo(), akimbo()), frontal(chance))


def waving(chance: Chance) -> Posture:
    out = chance.uniform(88, 118)
    raised = Limb((0, out), (0, chance.uniform(150, 188)))
    return Posture(
        (straight(chance), straight(chance)), ordered(raised, hanging(chance), chance), frontal(chance)
    )


def sitting(chance: Chance) -> Posture:
    thigh, spread = chance.uniform(78, 90), chance.uniform(4, 12)
    legs = tuple(
        Limb((thigh, spread), (chance.uniform(-8, 14), spread * 0.3), outward=chance.uniform(4, 14))
        for _ in range(2)
    )
    arm = chance.uniform(14, 26)
    arms = tuple(Limb((arm, 8), (arm + chance.uniform(34, 52), -4)) for _ in range(2))
    return Posture((legs[0], legs[1]), (arms[0], arms[1]), any_view(chance), chance.uniform(-2, 6))


FAMILIES: dict[str, Callable[[Chance], Posture]] = {
    "standing": standing,
    "walking": walking,
    "running": running,
    "crossed legs": crossed_legs,
    "arms up": arms_up,
    "hands on hips": hands_on_hips,
    "waving": waving,
    "sitting": sitting,
}


def facing(yaw: float) -> str:
    """Where a person of that yaw looks: front, left or right of the picture."""
    return "front" if abs(yaw) < 40 else "left" if yaw < 0 else "right"
