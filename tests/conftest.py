"""Fixtures for all rooms: small folders of generated pictures, and the real ones where they are."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

# As many tests run at a time as there are cores: the threads of BLAS and OpenMP would wait for each other,
# and burn processor time at it. Read when NumPy is imported.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import numpy as np
import platformdirs
import pytest
from hypothesis import settings
from PIL import Image

from tfxfer.data import Photos, from_table

# How long one example takes is not what is tested, and shared machines are slow at times.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

REPOSITORY = Path(__file__).parents[1]
COLOURS = {"blue": (40, 60, 200), "green": (40, 190, 60), "red": (210, 50, 40)}


def draw(colour: str, index: int, *, size: int = 40) -> Image.Image:
    """Draw a square of a colour on grey noise, elsewhere for each index."""
    generator = np.random.default_rng([index, *colour.encode()])
    pixels = generator.integers(90, 160, (size, size, 3)).astype(np.uint8)
    row, column = generator.integers(0, size // 2, 2)
    pixels[row : row + size // 2, column : column + size // 2] = COLOURS[colour]
    return Image.fromarray(pixels)


def write_pictures(folder: Path, *, count: int = 12, colours: tuple[str, ...] = tuple(COLOURS)) -> Path:
    """Write ``count`` PNG files a colour into class folders."""
    for colour in colours:
        home = folder / colour
        home.mkdir(parents=True)
        for index in range(count):
            draw(colour, index).save(home / f"{index:02}.png")
    return folder


@pytest.fixture(autouse=True, scope="session")
def _no_cache_of_the_user_s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what is remembered of pictures out of the user's own cache folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("user cache")))
        yield


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of three classes with twelve pictures each, fresh for each test."""
    return write_pictures(tmp_path / "pictures")


@pytest.fixture(scope="session")
def shared_pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, made once; to be read and not changed."""
    return write_pictures(tmp_path_factory.mktemp("shared") / "pictures", count=20)


@pytest.fixture(scope="session")
def tags(shared_pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Photos:
    """The same pictures with several labels each: their colour, and "round" for every third."""
    rows = [f"{colour}/{i:02}.png,{colour}{';round' * (i % 3 == 0)}" for colour in COLOURS for i in range(20)]
    table = tmp_path_factory.mktemp("tables") / "tags.csv"
    table.write_text("\n".join(["path,label", *rows]))
    return from_table(table, root=shared_pictures, task="multi_label")


@pytest.fixture(scope="session")
def numbers(shared_pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Photos:
    """The same pictures with two numbers each: how much red and how much blue their colour has."""
    rows = [
        f"{colour}/{i:02}.png,{red * 100},{blue / 100}"
        for colour, (red, _, blue) in COLOURS.items()
        for i in range(20)
    ]
    table = tmp_path_factory.mktemp("tables") / "numbers.csv"
    table.write_text("\n".join(["path,red,blue", *rows]))
    return from_table(table, root=shared_pictures, label=("red", "blue"), task="regression")


@pytest.fixture(scope="session")
def of_task(tags, numbers, tmp_path_factory):
    """For each task but the first: photos, model, log, bundle and artifacts."""
    from tfxfer import Phase, build, export, fit

    made = {}
    for photos in (tags, numbers):
        model = build(photos, backbone="micro", image_size=32)
        log = fit(model, photos, plan=[Phase("head", epochs=5, rate=3e-3)], progress=False)
        target = tmp_path_factory.mktemp("bundle") / photos.task
        made[photos.task] = (
            photos,
            model,
            log,
            target,
            export(model, target, photos, log=log, formats=("keras", "tflite")),
        )
    return made


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets, or a skip where this machine has none."""
    folder = Path(os.environ.get("TFXFER_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real pictures at {folder}; TFXFER_TEST_DATA says where they are.")
    return folder


@pytest.fixture(scope="session")
def imagenet_home(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A writable Keras home that holds ImageNet weights, or a skip."""
    source = real_data.parent / "keras"
    if not source.is_dir():
        pytest.skip(f"no ImageNet weights at {source}.")
    return Path(shutil.copytree(source, tmp_path_factory.mktemp("keras") / "home"))


@pytest.fixture(scope="session")
def hub_module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small reusable SavedModel that takes pictures of any size; to be read and not changed."""
    from tests import hub_modules  # TensorFlow, for those who need it

    return hub_modules.reusable(tmp_path_factory.mktemp("hub") / "small")


@pytest.fixture(scope="session")
def frozen_hub_module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SavedModel with a signature alone, for pictures of 32 x 32."""
    from tests import hub_modules

    return hub_modules.signature_only(tmp_path_factory.mktemp("hub") / "signature")


@pytest.fixture
def cache_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in the place of the user's cache."""
    home = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda *_, **__: str(home))
    return home


@pytest.fixture
def says() -> Callable[[str], str]:
    """Turn a whole message into a pattern for ``pytest.raises(match=…)``."""
    return lambda message: f"^{re.escape(message)}$"
