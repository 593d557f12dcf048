"""choose_augmentation, make_datasets: none is none and costs no import; validation stays as it is."""

import subprocess
import sys

import albumentations as A
import numpy as np
import pytest

from tfxfer.augment import FroFA, augmentation, device_augmentation
from tfxfer.contracts import InputContract
from tfxfer.data import from_folder, read_image
from tfxfer.errors import SettingError
from tfxfer.runtime import Epochs
from tfxfer.training import choose_augmentation, make_datasets


@pytest.mark.parametrize("augment", [None, "none"])
def test_none_is_none(augment):
    assert choose_augmentation(augment) is None


@pytest.mark.parametrize("augment", ["light", A.Compose([A.HorizontalFlip()])], ids=["name", "compose"])
def test_another_is_made(augment):
    assert len(choose_augmentation(augment).digest) == 64


def test_one_of_kerass_layers_stays():
    light = device_augmentation("light")
    assert choose_augmentation(light) is light


def test_what_changes_features_is_found_by_its_name():
    assert choose_augmentation("frofa") == FroFA(0.3)
    assert choose_augmentation({"name": "frofa", "strength": 0.1}) == FroFA(0.1)


LEAVING = (None, FroFA())
CHANGING = (augmentation(np.flipud), device_augmentation("light"))


@pytest.mark.parametrize("augment", [*LEAVING, *CHANGING], ids=str)
def test_validation_is_not_changed(shared_pictures, augment):
    photos = from_folder(shared_pictures)
    settings = {"size": InputContract(24, 24), "batch_size": 4, "seed": 1, "epochs": Epochs()}
    training, validation = make_datasets(photos, augment=augment, **settings)
    images = np.concatenate([x for x, _ in validation.as_numpy_iterator()])
    labels = np.concatenate([y for _, y in validation.as_numpy_iterator()])
    expected = [read_image(path, height=24, width=24) for path in photos.paths("validation")]
    np.testing.assert_array_equal(images, expected)
    np.testing.assert_array_equal(labels, photos.labels("validation"))
    assert [tuple(spec.shape) for spec in training.element_spec] == [(None, 24, 24, 3), (None,)]
    plain = {read_image(path, height=24, width=24).tobytes() for path in photos.paths("train")}
    seen = {
        pixels.astype(np.uint8).tobytes() for batch, _ in training.as_numpy_iterator() for pixels in batch
    }
    assert (seen == plain) == (augment in LEAVING)


@pytest.mark.parametrize("augment", [None, device_augmentation("light")], ids=str)
def test_something_else_may_be_learnt_of_training_pictures(shared_pictures, augment):
    photos = from_folder(shared_pictures)
    settings = {"size": InputContract(24, 24), "batch_size": 4, "seed": 1, "epochs": Epochs()}
    rows = np.arange(2 * len(photos.split.train), dtype=np.float32).reshape(-1, 2)
    training, validation = make_datasets(photos, augment=augment, targets=rows, **settings)
    learnt = np.concatenate([y for _, y in training.as_numpy_iterator()])
    np.testing.assert_array_equal(learnt[learnt[:, 0].argsort()], rows)
    assert validation.element_spec[1].shape == (None,)


@pytest.mark.parametrize("augment", [None, augmentation("light"), device_augmentation("light")], ids=str)
def test_an_epoch_that_is_told_gives_what_it_gives_when_counted(shared_pictures, augment):
    photos = from_folder(shared_pictures)
    settings = {"size": InputContract(24, 24), "batch_size": 16, "seed": 1, "augment": augment}

    def gone_through(training):
        return [images.tobytes() for images, _ in training.as_numpy_iterator()]

    counted, _ = make_datasets(photos, epochs=Epochs(), **settings)
    first, second = gone_through(counted), gone_through(counted)
    assert first != second
    told, _ = make_datasets(photos, epochs=Epochs(now=1), **settings)
    assert [gone_through(told), gone_through(told)] == [second, second]


def test_an_unknown_one_is_refused():
    with pytest.raises(SettingError, match=r"^no augmentation policy 'lite'; did you mean 'light'\?"):
        choose_augmentation("lite")


def test_albumentations_is_not_imported_unasked():
    code = "import sys; from tfxfer.training import choose_augmentation as choose; choose('none'); "
    subprocess.run([sys.executable, "-c", code + "assert 'albumentations' not in sys.modules"], check=True)
