"""Epochs: lots are settled by seed and epoch, counted or told."""

import numpy as np
import pytest

from tfxfer.runtime import Epochs


def lots(dataset, times=3):
    return [int(next(dataset.as_numpy_iterator())) for _ in range(times)]


def test_each_data_set_counts_for_itself():
    epochs = Epochs()
    first = lots(epochs.lots(7))
    assert len({*first}) == 3
    assert lots(epochs.lots(7)) == first
    assert not {*first} & {*lots(epochs.lots(8))}
    assert all(0 <= lot < 2**63 for lot in first)


def test_who_is_told_does_not_count():
    epochs = Epochs()
    dataset = epochs.lots(7)
    expected = lots(dataset)
    found = []
    for epochs.now in (2, 0, 1, 1):
        found += lots(dataset, times=1)
    assert found == [expected[2], expected[0], expected[1], expected[1]]


def test_a_lot_is_what_numpy_draws():
    (lot,) = lots(Epochs(now=5).lots(3), times=1)
    assert lot == int(np.random.SeedSequence((3, 5)).generate_state(1, np.uint64)[0]) & (2**63 - 1)


@pytest.mark.parametrize("shuffle", [True, False])
def test_an_order_has_each_index_once(shuffle):
    dataset = Epochs().order(20, 3, shuffle=shuffle)
    assert dataset.cardinality() == 20
    first, second = ([tuple(map(int, pair)) for pair in dataset.as_numpy_iterator()] for _ in range(2))
    for pairs in (first, second):
        assert sorted(index for index, _ in pairs) == list(range(20))
        assert len({lot for _, lot in pairs}) == 1
    assert ([index for index, _ in first] == list(range(20))) == (not shuffle)
    assert ([index for index, _ in first] == [index for index, _ in second]) == (not shuffle)


def test_places_count_within_the_epoch():
    first, second = (
        [tuple(map(int, place)) for place in Epochs(now=now).places(3).take(3).as_numpy_iterator()]
        for now in (0, 1)
    )
    assert [number for _, number in first] == [0, 1, 2]
    assert len({lot for lot, _ in first}) == 1
    assert first[0][0] != second[0][0]
