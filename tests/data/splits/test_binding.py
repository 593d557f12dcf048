"""bind: groups of what looks alike end in one part, where a seed may say which."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfxfer.contracts import PARTS, ImageRecord, Split
from tfxfer.data import Photos, stratified_split
from tfxfer.data.pixels.contents import Files
from tfxfer.data.splits.binding import bind, is_cut_by_seed, straddling

CLASSES = ("ant", "bee")


def photos_of(count, *, groups=(), seed=0):
    """Make ``count`` pictures a class, some with a group."""
    records = tuple(
        ImageRecord(f"{name}/{index}.png", label, dict(groups).get(f"{name}/{index}.png"))
        for label, name in enumerate(CLASSES)
        for index in range(count)
    )
    split = stratified_split(records, classes=CLASSES, seed=seed)
    return Photos(Files(Path("here")), CLASSES, records, split)


def part_of(photos):
    return {photos.records[index].path: part for part in PARTS for index in photos.split[part]}


NAMES = [f"{name}/{index}.png" for name in CLASSES for index in range(20)]
ALIKE = st.lists(st.sampled_from(NAMES), unique=True, max_size=14).map(
    lambda names: [names[start : start + 2] for start in range(0, len(names) - 1, 2)]
)
GROUPS = st.dictionaries(st.sampled_from(NAMES), st.sampled_from("pqrst"), max_size=10)


@given(ALIKE, GROUPS, st.integers(0, 99))
def test_alike_and_groups_and_chains_of_both_are_in_one_part(alike, groups, seed):
    photos = photos_of(20, groups=groups.items(), seed=seed)
    assert is_cut_by_seed(photos)
    bound = bind(photos, alike, cut_anew=True)
    part = part_of(bound)
    assert sorted(part) == sorted(NAMES)
    assert straddling(bound) == []
    assert all(len({part[path] for path in group}) == 1 for group in alike)
    assert all(len({part[path] for path in groups if groups[path] == name}) <= 1 for name in "pqrst")
    for name in PARTS:
        assert {bound.records[index].label for index in bound.split[name]} == {0, 1}
    assert is_cut_by_seed(bound) or bound.split == photos.split


def test_a_chain_of_group_and_looks():
    """One patient's picture looks like another patient's: all of both stay together."""
    groups = {f"ant/{index}.png": f"patient {index // 2}" for index in range(20)}
    alike = [[f"ant/{index}.png", f"ant/{index + 1}.png"] for index in range(1, 7, 2)]
    bound = bind(photos_of(20, groups=groups.items()), alike, cut_anew=True)
    assert len({part_of(bound)[f"ant/{index}.png"] for index in range(8)}) == 1


def test_what_does_not_straddle_moves_nothing():
    photos = photos_of(20)
    members = [photos.records[index].path for index in photos.split.test]
    bound = bind(photos, [members], cut_anew=True)
    assert bound.split == photos.split
    assert {record.alike for record in bound.records if record.path in members} == {min(members)}


def test_few_move_where_few_are_bound():
    photos = photos_of(100)
    before, after = part_of(photos), None
    pair = [next(path for path in before if before[path] == part) for part in ("train", "test")]
    after = part_of(bind(photos, [pair], cut_anew=True))
    assert after[pair[0]] == after[pair[1]]
    assert sum(before[path] != after[path] for path in before) <= 5


@pytest.mark.parametrize("given_parts", [(), PARTS], ids=["own", "given"])
def test_nobody_s_own_split_is_cut_anew(given_parts):
    photos = photos_of(6)
    split = Split((0, 1, 2, 6, 7, 8), (3, 4, 9, 10), (5, 11), seed=0, given=given_parts)
    own = Photos(photos.source, CLASSES, photos.records, split)
    assert not is_cut_by_seed(own)
    pair = ["ant/0.png", "ant/5.png"]
    bound = bind(own, [pair], cut_anew=False)
    assert bound.split == split
    assert straddling(bound) == [{"ant/0.png": "train", "ant/5.png": "test"}]


def test_a_set_too_small_for_a_seed_is_somebody_s_own():
    records = (ImageRecord("a.png", 0), ImageRecord("b.png", 1))
    assert not is_cut_by_seed(Photos(Files(Path("here")), CLASSES, records, Split((0, 1), (), (), seed=0)))
