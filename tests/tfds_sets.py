"""Small data sets, really prepared by TensorFlow Datasets' own writer."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import tensorflow_datasets as tfds

from tests.conftest import COLOURS, draw

# Unregistered, as a data set is whose code is not here: it is read by what lies in its folder.
with tfds.core.registered.skip_registration():

    class Squares(tfds.core.GeneratorBasedBuilder):
        """Coloured squares; which splits there are, and how many pictures of a colour, is told."""

        VERSION = tfds.core.Version("1.0.0")
        counts: ClassVar = {"train": 12, "test": 3}
        supervised = ("photo", "colour")

        def _info(self):
            features = {
                "photo": tfds.features.Image(shape=(None, None, 3), encoding_format="png"),
                "small": tfds.features.Image(shape=(None, None, 3), encoding_format="png"),
                "colour": tfds.features.ClassLabel(names=sorted(COLOURS)),
                "owner": tfds.features.Text(),
                "number": np.int64,
            }
            return self.dataset_info_from_configs(
                features=tfds.features.FeaturesDict(features), supervised_keys=self.supervised
            )

        def _split_generators(self, dl_manager):
            del dl_manager
            return {split: self._generate_examples(split, count) for split, count in self.counts.items()}

        def _generate_examples(self, split, count):
            for colour in COLOURS:
                for index in range(count):
                    number = index + 100 * list(self.counts).index(split)
                    pixels = np.asarray(draw(colour, number))
                    yield (
                        f"{split} {colour} {index}",
                        {
                            "photo": pixels,
                            "small": pixels[:8, :8],
                            "colour": colour,
                            "owner": f"{split} {colour} {index // 2}",
                            "number": index,
                        },
                    )

    class LooseSquares(Squares):
        """The same, supervised by nothing, in splits that are called otherwise."""

        counts: ClassVar = {"everything": 12}
        supervised = None

    class TaggedSquares(tfds.core.GeneratorBasedBuilder):
        """Squares with several labels: as a sequence of classes, as features of 0 and 1; and with numbers."""

        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            features = {
                "image": tfds.features.Image(shape=(None, None, 3), encoding_format="png"),
                "tags": tfds.features.Sequence(tfds.features.ClassLabel(names=["even", "low"])),
                "even": np.bool_,
                "low": np.uint8,
                "size": np.float32,
                "number": np.int64,
            }
            return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(features))

        def _split_generators(self, dl_manager):
            del dl_manager
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            for index in range(30):
                even, low = index % 2 == 0, index < 12
                yield (
                    f"{index:02}",
                    {
                        "image": np.asarray(draw("red", index)),
                        "tags": [name for name, there in (("low", low), ("even", even)) if there],
                        "even": even,
                        "low": low,
                        "size": index / 3,
                        "number": index,
                    },
                )

    class NumberedSquares(tfds.core.GeneratorBasedBuilder):
        """One picture feature and no class."""

        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            return self.dataset_info_from_configs(
                features=tfds.features.FeaturesDict({"image": tfds.features.Image(), "number": np.int64})
            )

        def _split_generators(self, dl_manager):
            del dl_manager
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            for index in range(3):
                yield index, {"image": np.zeros((8, 8, 3), np.uint8), "number": 3}


class KnownSquares(Squares):
    """The same, and TensorFlow Datasets knows how to make it."""


def prepare(data_dir: Path, kind: type = Squares, *, file_format: str = "tfrecord") -> Path:
    """Write one of them into a folder, in three shards a split."""
    builder = kind(data_dir=data_dir, file_format=file_format)
    config = tfds.download.DownloadConfig(num_shards=3)
    builder.download_and_prepare(download_config=config)
    return data_dir
