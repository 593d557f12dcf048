"""Photos.folds and Photos.few: nothing leaks, nothing is lost, and little moves when pictures are added."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfxfer.contracts import ImageRecord, Split
from tfxfer.data import Photos, at_most, stratified_split
from tfxfer.data.pixels.contents import Files
from tfxfer.errors import DataError, SettingError

CLASSES = ("ant", "bee")


def photos_of(sizes, *, alone=False, given_parts=()):
    """Make groups of the sizes given for each class, every other by looks, and cut them."""
    records = tuple(
        ImageRecord(
            f"{name}/{number}.{index}.png",
            label,
            None if alone or number % 2 else f"{name} {number}",
            f"{name}/{number}.0.png" if not alone and number % 2 else None,
        )
        for label, name in enumerate(CLASSES)
        for number, size in enumerate(sizes[label])
        for index in range(size)
    )
    split = replace(stratified_split(records, classes=CLASSES), given=given_parts)
    return Photos(Files(Path("here")), CLASSES, records, split)


def unit_of(record):
    return record.group or record.alike or record.path


def validating(folds):
    """Return which fold each picture validates in."""
    return {
        fold.records[index].path: number
        for number, fold in enumerate(folds)
        for index in fold.split.validation
    }


SIZES = st.lists(st.integers(1, 4), min_size=12, max_size=40)


@given(st.tuples(SIZES, SIZES), st.integers(2, 6), st.integers(0, 99))
def test_each_picture_validates_once_and_no_group_is_on_both_sides(sizes, k, seed):
    photos = photos_of(sizes)
    folds = photos.folds(k, seed=seed)
    pool = sorted((*photos.split.train, *photos.split.validation))
    assert len(folds) == k
    assert sorted(index for fold in folds for index in fold.split.validation) == pool
    for fold in folds:
        assert sorted((*fold.split.train, *fold.split.validation)) == pool
        assert (fold.split.test, fold.records) == (photos.split.test, photos.records)
        learnt = {unit_of(photos.records[index]) for index in fold.split.train}
        assert not learnt & {unit_of(photos.records[index]) for index in fold.split.validation}


@given(st.tuples(SIZES, SIZES), st.integers(2, 5), st.integers(0, 99))
def test_folds_have_their_share_of_each_class_within_one_group(sizes, k, seed):
    photos = photos_of(sizes)
    folds = photos.folds(k, seed=seed)
    for label in range(len(CLASSES)):
        own = [sum(label == each for each in fold.labels("validation")) for fold in folds]
        assert min(own) >= 1
        if sum(own) >= 4 * k:  # below, every fold's one group weighs more than its share
            assert all(abs(count - sum(own) / k) <= max(sizes[label]) for count in own)


@given(st.integers(10, 60), st.integers(2, 6), st.integers(0, 99))
def test_single_pictures_are_shared_out_to_the_picture(count, k, seed):
    folds = photos_of([[1] * count, [1] * 15], alone=True).folds(k, seed=seed)
    counts = [Counter(fold.labels("validation")) for fold in folds]
    for label in range(2):
        assert max(each[label] for each in counts) - min(each[label] for each in counts) <= 1


@given(st.integers(12, 60), st.integers(2, 5), st.integers(0, 99))
def test_a_new_picture_moves_few_others(count, k, seed):
    """The pictures' own split is given, so that the folds alone are compared."""
    first, second = (
        validating(
            replace(photos, split=Split(tuple(range(len(photos))), (), (), seed=0)).folds(k, seed=seed)
        )
        for photos in (photos_of([[1] * each, [1] * 12], alone=True) for each in (count, count + 1))
    )
    assert sum(second[path] != fold for path, fold in first.items()) <= k


def test_folds_heed_the_seed_and_are_what_they_were():
    photos = photos_of([[1] * 10, [1] * 10], alone=True)
    assert photos.folds(3) == photos.folds(3)
    assert validating(photos.folds(3)) != validating(photos.folds(3, seed=1))
    assert [fold.split.validation for fold in photos.folds(3)] == FOLDS


FOLDS = [(0, 1, 3, 15, 16, 18), (2, 4, 5, 10, 13, 19), (7, 8, 9, 11, 12, 17)]


def test_what_a_folder_says_of_the_test_part_is_still_given():
    assert photos_of([[1] * 9] * 2, given_parts=("train", "validation", "test")).folds(2)[0].split.given == (
        "train",
        "test",
    )
    assert photos_of([[1] * 9] * 2).folds(2)[0].split.given == ()


def test_folds_that_cannot_be(says):
    message = "k must be at least 2 folds, got 1."
    with pytest.raises(SettingError, match=says(message)):
        photos_of([[1] * 9] * 2).folds(1)
    message = (
        "class 'bee' has 5 pictures, too few for a cut into 6 folds; add pictures until it has at least 6, "
        "or remove the class."
    )
    with pytest.raises(DataError, match=says(message)):
        photos_of([[1] * 9, [1] * 6], alone=True).folds(6)


@given(st.tuples(SIZES, SIZES), st.integers(1, 5), st.integers(0, 99))
def test_few_keeps_so_many_a_class_and_nothing_else_changes(sizes, k, seed):
    photos = photos_of(sizes)
    few = photos.few(k, seed=seed)
    assert Counter(few.labels("train")) == {0: k, 1: k}
    assert set(few.split.train) <= set(photos.split.train)
    assert replace(few, split=replace(few.split, train=photos.split.train)) == photos
    more = photos.few(k + 1, seed=seed)
    assert set(few.split.train) < set(more.split.train)
    for label in range(2):
        units = [unit_of(photos.records[i]) for i in few.split.train if photos.records[i].label == label]
        there = {unit_of(photos.records[i]) for i in photos.split.train if photos.records[i].label == label}
        assert len(set(units)) == min(k, len(there))


@given(st.tuples(SIZES, SIZES), st.integers(0, 11), st.integers(1, 6), st.integers(0, 99))
def test_a_new_training_picture_takes_the_place_of_one_at_most(sizes, number, k, seed):
    kept = []
    for new in (0, 1):
        photos = photos_of([[*sizes[0][:number], sizes[0][number] + new, *sizes[0][number + 1 :]], sizes[1]])
        photos = replace(photos, split=Split(tuple(range(len(photos))), (), (), seed=0))
        kept.append({path.name for path in photos.few(k, seed=seed).paths("train")})
    assert len(kept[0] - kept[1]) <= 1


def test_few_that_cannot_be(says):
    photos = photos_of([[1] * 10, [1] * 6], alone=True)
    message = "k must be at least 1 picture a class, got 0."
    with pytest.raises(SettingError, match=says(message)):
        photos.few(0)
    message = "class 'bee' has 4 training pictures, too few for 5 a class; add pictures, or ask for fewer."
    with pytest.raises(DataError, match=says(message)):
        photos.few(5)


def test_few_heeds_the_seed():
    photos = photos_of([[1] * 20] * 2, alone=True)
    assert photos.few(3) == photos.few(3)
    assert photos.few(3) != photos.few(3, seed=1)


def test_few_is_for_one_class_a_picture(tags, says):
    message = "few is for one class a picture (single_label), got multi_label."
    with pytest.raises(SettingError, match=says(message)):
        tags.few(2)


def test_folds_of_several_labels_and_of_numbers(tags, numbers):
    for photos in (tags, numbers):
        folds = photos.folds(3)
        held = sorted(index for fold in folds for index in fold.split.validation)
        assert held == sorted((*photos.split.train, *photos.split.validation))


def test_at_most_keeps_so_many_of_one_part():
    photos = photos_of(([1] * 20, [1] * 20))
    fewer = at_most(photos, "train", 7)
    assert len(fewer.split.train) == 7
    assert set(fewer.split.train) < set(photos.split.train)
    assert replace(fewer, split=replace(fewer.split, train=photos.split.train)) == photos
    assert set(fewer.split.train) < set(at_most(photos, "train", 8).split.train)
    assert set(fewer.split.train) != set(at_most(photos, "train", 7, seed=1).split.train)
    assert at_most(photos, "train", 1000) is photos


def test_at_most_counts_a_repeated_picture_once():
    photos = photos_of(([1] * 20, [1] * 20))
    twice = replace(photos, split=replace(photos.split, train=photos.split.train * 2))
    fewer = at_most(twice, "train", 5)
    assert sorted(Counter(fewer.split.train).values()) == [2] * 5
