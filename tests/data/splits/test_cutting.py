"""stratified_split: every class in every part, nothing lost or doubled, groups whole, steady under change."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfxfer.contracts import PARTS, ImageRecord
from tfxfer.data import stratified_split
from tfxfer.data.splits.cutting import complete_split
from tfxfer.errors import DataError, SettingError


def records_of(counts):
    return [
        ImageRecord(f"{label}/{index}.png", label)
        for label, count in enumerate(counts)
        for index in range(count)
    ]


def names(counts):
    return [f"class {label}" for label in range(len(counts))]


@given(st.lists(st.integers(3, 60), min_size=1, max_size=5), st.integers(0, 1000))
def test_parts_are_disjoint_complete_and_near_their_shares(counts, seed):
    records = records_of(counts)
    split = stratified_split(records, classes=names(counts), seed=seed)
    assert sorted([*split.train, *split.validation, *split.test]) == list(range(len(records)))
    for label, count in enumerate(counts):
        for part, share in zip(PARTS, (0.70, 0.15, 0.15), strict=True):
            found = sum(records[index].label == label for index in split[part])
            assert found >= 1
            assert abs(found - share * count) <= 2


@given(st.integers(5, 40), st.integers(0, 100))
def test_a_new_picture_moves_few_others(count, seed):
    before = stratified_split(records_of([count]), classes=["a"], seed=seed)
    after = stratified_split(records_of([count + 1]), classes=["a"], seed=seed)
    moved = sum(len(set(before[part]) - set(after[part])) for part in PARTS)
    assert moved <= 3


def test_another_seed_cuts_otherwise_and_the_same_cuts_alike():
    records = records_of([30, 30])
    first = stratified_split(records, classes=names([1, 1]), seed=1)
    assert first == stratified_split(records, classes=names([1, 1]), seed=1)
    assert first.train != stratified_split(records, classes=names([1, 1]), seed=2).train


def test_the_cut_is_what_it_was():
    """A saved split must be made again by a later version."""
    split = stratified_split(records_of([10]), classes=["a"], seed=0)
    assert (split.validation, split.test) == ((0, 5), (7,))


def test_a_part_left_out_stays_empty():
    split = stratified_split(records_of([8]), classes=["a"], shares={"train": 0.75, "test": 0.25})
    assert (len(split.train), len(split.validation), len(split.test)) == (6, 0, 2)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (
            [5, 2],
            "class 'class 1' has 2 pictures, too few for a split into train, validation, test; add "
            "pictures until it has at least 3, or remove the class.",
        ),
        (
            [1],
            "class 'class 0' has 1 picture, too few for a split into train, validation, test; add "
            "pictures until it has at least 3, or remove the class.",
        ),
    ],
    ids=["two", "one"],
)
def test_a_class_too_small_is_named(counts, message, says):
    with pytest.raises(DataError, match=says(message)):
        stratified_split(records_of(counts), classes=names(counts))


@pytest.mark.parametrize("shares", [{"train": 0.5, "test": 0.6}, {"train": 1.0, "test": 0.0}])
def test_bad_shares_are_refused(shares):
    message = (
        "shares must each be above 0 and sum to 1, got "
        + ", ".join(f"{part} {share:g}" for part, share in shares.items())
        + "; leave a part out for none of it."
    )
    with pytest.raises(SettingError, match=f"^{re.escape(message)}$"):
        stratified_split(records_of([5]), classes=["a"], shares=shares)


def grouped(groups):
    """Make records of groups: a list of (name, labels of its pictures)."""
    return [
        ImageRecord(f"{name}/{index}.png", label, name)
        for name, labels in groups
        for index, label in enumerate(labels)
    ]


def of_one_class(sizes_by_class):
    """Give each class groups of pictures of its own."""
    return [
        (f"group {label}.{number}", [label] * size)
        for label, sizes in enumerate(sizes_by_class)
        for number, size in enumerate(sizes)
    ]


def parts_by_group(records, split):
    found = {}
    for part in PARTS:
        for index in split[part]:
            found.setdefault(records[index].group, set()).add(part)
    return found


def part_of(records, split):
    return {records[index].path: part for part in PARTS for index in split[part]}


MIXED = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6), min_size=3, max_size=40)


@given(MIXED, st.integers(0, 1000))
def test_groups_stay_whole_and_nothing_is_lost_or_doubled(labels, seed):
    groups = [(f"group {number}", each) for number, each in enumerate(labels)]
    records = grouped(groups)
    try:
        split = stratified_split(records, classes=names([1, 1, 1]), seed=seed)
    except DataError:
        return  # a class in too few groups, or bound up with others: told in a message of its own
    assert all(len(parts) == 1 for parts in parts_by_group(records, split).values())
    assert sorted([*split.train, *split.validation, *split.test]) == list(range(len(records)))
    for part in PARTS:
        assert {records[index].label for index in split[part]} == {0, 1, 2}


SMALL_GROUPS = st.lists(st.integers(1, 4), min_size=30, max_size=60)


@given(st.lists(SMALL_GROUPS, min_size=1, max_size=3), st.integers(0, 1000))
def test_many_small_groups_come_near_the_shares(sizes, seed):
    records = grouped(of_one_class(sizes))
    split = stratified_split(records, classes=names(sizes), seed=seed)
    for label, each in enumerate(sizes):
        for part, share in zip(PARTS, (0.70, 0.15, 0.15), strict=True):
            found = sum(records[index].label == label for index in split[part])
            assert abs(found - share * sum(each)) <= max(each)


@given(SMALL_GROUPS, st.integers(1, 4), st.integers(0, 1000))
def test_a_new_group_moves_about_as_many_as_it_brings_and_no_other_class(sizes, new, seed):
    others = [3] * 20
    before, after = (grouped(of_one_class([each, others])) for each in (sizes, [*sizes, new]))
    first, second = (
        part_of(records, stratified_split(records, classes=["a", "b"], seed=seed))
        for records in (before, after)
    )
    moved = [path for path, part in first.items() if second[path] != part]
    assert all(path.startswith("group 0.") for path in moved)
    assert len(moved) <= 2 * (new + 4)


@given(SMALL_GROUPS, st.data())
def test_a_new_picture_in_a_group_moves_few_others(sizes, data):
    number = data.draw(st.integers(0, len(sizes) - 1))
    grown = [size + (index == number) for index, size in enumerate(sizes)]
    first, second = (
        part_of(records, stratified_split(records, classes=["a"]))
        for records in (grouped(of_one_class([each])) for each in (sizes, grown))
    )
    assert sum(second[path] != part for path, part in first.items()) <= 2 * (1 + 5)


def test_the_cut_by_groups_is_what_it_was_and_heeds_the_seed_alone():
    """A saved split must be made again by a later version, whatever the order of the records."""
    records = grouped(of_one_class([[2] * 10]))
    split = stratified_split(records, classes=["a"])
    assert (split.validation, split.test) == ((12, 13), (2, 3, 8, 9))
    backwards = records[::-1]
    again = stratified_split(backwards, classes=["a"])
    assert part_of(backwards, again) == part_of(records, split)
    assert stratified_split(records, classes=["a"], seed=1) != split


def test_the_class_in_the_fewest_groups_is_in_every_part():
    """Every patient has healthy pictures, and few have an ill one."""
    groups = [(f"patient {number}", [0] * 5 + [1] * (number < 3)) for number in range(40)]
    for seed in range(20):
        records = grouped(groups)
        split = stratified_split(records, classes=["healthy", "ill"], seed=seed)
        for part in PARTS:
            assert sum(records[index].label for index in split[part]) == 1


@pytest.mark.parametrize("seed", range(5))
def test_a_group_larger_than_all_that_is_kept_back_is_learnt_from(seed):
    records = grouped(of_one_class([[40, *[2] * 20]]))
    split = stratified_split(records, classes=["a"], seed=seed)
    assert set(range(40)) <= set(split.train)
    assert [len(split[part]) for part in PARTS] == [56, 12, 12]


def test_pictures_without_a_group_stand_alone():
    records = [ImageRecord(f"{index}.png", 0, "a" if index < 4 else None) for index in range(40)]
    records.append(ImageRecord("a", 0))  # called like the group, and none of it
    split = stratified_split(records, classes=["a"])
    assert sum(bool(set(split[part]) & set(range(4))) for part in PARTS) == 1
    assert [len(split[part]) for part in PARTS] == [29, 6, 6]


@pytest.mark.parametrize(
    ("groups", "count"),
    [(1, "1 group"), (2, "2 groups")],
)
def test_a_class_in_too_few_groups_is_named(groups, count, says):
    records = grouped(of_one_class([[3] * 5, [9] * groups]))
    message = (
        f"class 'rose' has {count}, too few for a split into train, validation, test that keeps groups "
        "together; add groups until it has at least 3, or remove the class."
    )
    with pytest.raises(DataError, match=says(message)):
        stratified_split(records, classes=["oak", "rose"])


def test_a_class_that_its_groups_keep_out_of_a_part_is_named(says):
    """Weeds grow among oaks, among roses and alone: no queue of theirs is long enough to reach every part."""
    groups = [(f"{other}{number}", [other] + [2] * (number < 2)) for other in (0, 1) for number in range(4)]
    message = (
        "class 'weed' has 5 groups, and none of them fell into validation, since they hold other classes "
        "too; take another seed, add groups of this class, or say yourself which group is in which part."
    )
    with pytest.raises(DataError, match=says(message)):
        stratified_split(grouped([*groups, ("alone", [2])]), classes=["oak", "rose", "weed"], seed=1)


def test_parts_that_are_given_are_kept_and_groups_hold_where_the_rest_is_cut():
    records = grouped(of_one_class([[2] * 12, [2] * 12]))
    test = range(20, 24)
    train = [index for index in range(48) if index not in test]
    split = complete_split(records, {"train": train, "validation": test}, classes=["a", "b"])
    assert (split.test, split.given) == (tuple(test), ("train", "test"))
    assert sorted([*split.train, *split.validation]) == train
    assert all(len(parts) == 1 for parts in parts_by_group(records, split).values())


def numbered(count, groups=None):
    """Pictures with a number each: their strata are tenths by its size."""
    return [
        ImageRecord(f"{i:03}.png", i * 10 // count, None if groups is None else f"g{groups(i)}", (float(i),))
        for i in range(count)
    ]


def test_strata_need_not_be_in_every_part():
    # Twenty tools of twenty pictures each, whose wear follows the tool: two groups a stratum.
    records = numbered(400, groups=lambda index: index // 20)
    cut = stratified_split(records, classes=[])
    parts = [{records[index].group for index in cut[part]} for part in PARTS]
    assert [len(part) for part in parts] == [14, 3, 3]
    assert sum(map(len, parts)) == 20
    # Small wear and large are in every part.
    for part in PARTS:
        values = [records[index].target[0] for index in cut[part]]
        assert min(values) < 200 < max(values)


def test_one_odd_stratum_stops_nothing():
    records = [ImageRecord(f"{i}.png", i // 30, None, (i // 30,)) for i in range(60)]
    cut = stratified_split([*records, ImageRecord("odd.png", 2, None, ())], classes=["sea", "sun", "other"])
    assert sum(len(cut[part]) for part in PARTS) == 61


def test_too_few_pictures_of_numbers_are_refused(says):
    message = (
        "class 'all pictures' has 2 pictures, too few for a split into train, validation, test; add pictures "
        "until it has at least 3, or remove the class."
    )
    with pytest.raises(DataError, match=says(message)):
        stratified_split(numbered(2), classes=[])
