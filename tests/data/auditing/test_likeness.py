"""near_groups: the same groups as comparing every pair by hand, quickly."""

import itertools
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfxfer.data.auditing import likeness
from tfxfer.data.auditing.likeness import near_groups

CENTRES = (0, 2**64 - 1, 0x0F0F_0F0F_0F0F_0F0F, 0x1234_5678_9ABC_DEF0)
SLOPE = np.arange(256, dtype=np.uint8)
SMALL = (SLOPE, (SLOPE // 2 + 100).astype(np.uint8), SLOPE[::-1], np.full(256, 7, np.uint8))


def agree(first, second):
    return first.std() > 0 and second.std() > 0 and np.corrcoef(first, second)[0, 1] >= 0.95


def by_hand(looks, small, bits):
    """Compare every pair, and follow the links."""
    group = list(range(len(looks)))
    for i, j in itertools.combinations(range(len(looks)), 2):
        if (looks[i] ^ looks[j]).bit_count() <= bits and agree(small[i], small[j]):
            old, new = group[j], group[i]
            group = [new if name == old else name for name in group]
    members = {}
    for index, name in enumerate(group):
        members.setdefault(name, []).append(index)
    return {tuple(indices) for indices in members.values() if len(indices) > 1}


@st.composite
def likenesses(draw):
    """Hashes around a few centres, some bits flipped, so that many are near; and something in small."""
    look = draw(st.sampled_from(CENTRES))
    for bit in draw(st.lists(st.integers(0, 63), max_size=5)):
        look ^= 1 << bit
    return look, draw(st.sampled_from(SMALL))


@given(
    pairs=st.lists(likenesses(), max_size=40), bits=st.integers(0, 8), block=st.sampled_from([1, 64, 1 << 22])
)
def test_the_groups_are_those_of_brute_force(pairs, bits, block):
    looks, small = [look for look, _ in pairs], [each for _, each in pairs]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(likeness, "_PAIRS_AT_ONCE", block)
        found = near_groups(looks, small, bits=bits)
    assert {tuple(group) for group in found} == by_hand(looks, small, bits)
    assert all(group == sorted(group) for group in found)


def test_the_bound_is_exact():
    assert near_groups([0, 0b111], [SLOPE] * 2, bits=3) == [[0, 1]]
    assert near_groups([0, 0b111], [SLOPE] * 2, bits=2) == []


def test_near_hashes_of_different_pictures_are_not_enough():
    assert near_groups([0, 0], [SLOPE, SLOPE[::-1]], bits=6) == []


def test_twenty_thousand_take_moments():
    looks = np.random.default_rng(0).integers(0, 2**64, 20_000, dtype=np.uint64)
    looks[10_000:10_500] = looks[:500] ^ np.uint64(5)
    started = time.perf_counter()
    assert len(near_groups(looks.tolist(), [SLOPE] * 20_000, bits=6)) == 500
    assert time.perf_counter() - started < 30
