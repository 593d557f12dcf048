"""load: predicts what the model predicted, without TensorFlow, and only from a folder that is whole."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tfxfer.augment import VIEWS
from tfxfer.contracts import RESIZES
from tfxfer.data import from_folder, read_image
from tfxfer.errors import BundleError, DataError, SettingError
from tfxfer.evaluation import evaluate, judge
from tfxfer.exports import load
from tfxfer.runtime import file_sha256


@pytest.fixture
def copy(bundle, tmp_path):
    return shutil.copytree(bundle[0], tmp_path / "copy")


def test_it_predicts_what_the_model_predicts(bundle, fitted, photos):
    paths = photos.paths("test")
    images = np.stack([read_image(path, height=32, width=32) for path in paths])
    scores = fitted[0].predict(images, verbose=0)
    predictions = load(bundle[0]).predict(paths)
    for path, row, prediction in zip(paths, scores, predictions, strict=True):
        assert prediction.file == str(path)
        assert prediction.label == photos.classes[row.argmax()]
        assert prediction.probability == pytest.approx(row.max(), abs=1e-5)
        assert list(prediction.scores) == list(photos.classes)
        assert list(prediction.scores.values()) == pytest.approx(row.tolist(), abs=1e-5)


@pytest.mark.parametrize("task", ["multi_label", "regression"])
def test_each_task_is_predicted_as_its_model_does(of_task, task):
    photos, model, _, folder, _ = of_task[task]
    predictor = load(folder)
    paths = photos.paths("test")
    images = np.stack([read_image(path, height=32, width=32) for path in paths])
    assert (predictor.task, predictor.classes) == (task, photos.classes)
    scores = model.predict(images, verbose=0)
    for path, row, prediction in zip(paths, scores, predictor.predict(paths), strict=True):
        assert prediction.file == str(path)
        if task == "regression":
            assert list(prediction.numbers.values()) == pytest.approx(row.tolist(), rel=1e-4)
        else:
            assert list(prediction.scores.values()) == pytest.approx(row.tolist(), abs=1e-5)
            assert prediction.labels == tuple(
                name for name, score in zip(photos.classes, row, strict=True) if score >= 0.5
            )


def test_it_averages_over_views_as_the_model_does(bundle, fitted, photos, says):
    """And says of what is judged what it says of pictures."""
    predictor, paths = load(bundle[0]), photos.paths("test")
    theirs = evaluate(fitted[0], photos, tta=VIEWS).predictions
    ours = predictor.predictions(paths, photos.targets("test"), groups=["a"] * len(paths), tta=VIEWS)
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-5)
    np.testing.assert_allclose(ours.plain, theirs.plain, atol=1e-5)
    assert (ours.tta, ours.groups) == (VIEWS, ("a",) * len(paths))
    said = predictor.predict(paths, tta="flip")
    for row, each in zip(predictor.view_scores(paths, tta=("flip",)).mean(axis=1), said, strict=True):
        assert list(each.scores.values()) == pytest.approx(row.tolist(), abs=1e-6)
    message = "no view 'flop' for test-time augmentation; did you mean 'flip'? There are flip, crops."
    with pytest.raises(SettingError, match=says(message)):
        predictor.predict("nowhere.png", tta=("flop",))


@pytest.mark.parametrize("task", ["multi_label", "regression"])
def test_a_bundle_judges_as_its_model_does(of_task, task):
    photos, model, _, folder, _ = of_task[task]
    predictions = load(folder).predictions(photos.paths("test"), photos.targets("test"))
    mine, theirs = judge(predictions), evaluate(model, photos)
    assert type(mine) is type(theirs)
    assert mine.headline.value == pytest.approx(theirs.headline.value, abs=1e-4)


def odd_pictures(home):
    """Write pictures as they come: odd sizes, every EXIF orientation, gray, transparent, of many kinds."""
    home.mkdir(parents=True)
    noise = np.random.default_rng(5)

    def pixels(*shape):
        coarse = noise.integers(0, 256, shape).astype(np.uint8)
        return coarse.repeat(7, 0).repeat(5, 1)[1:, 2:]  # odd sides

    def transparent():
        image = Image.fromarray(pixels(11, 16, 3)).convert("RGBA")
        image.putalpha(Image.fromarray(pixels(11, 16)))
        return image

    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(pixels(9, 16, 3)).save(home / f"turned {orientation}.jpg", exif=exif)
    for mode in ("L", "1", "P", "CMYK"):
        image = Image.fromarray(pixels(8, 19, 3)).convert(mode)
        image.save(home / f"{mode}.{'jpg' if mode == 'CMYK' else 'png'}")
    Image.fromarray(pixels(8, 9).astype(np.uint16) * 257).save(home / "sixteen bits.png")
    transparent().save(home / "alpha.png")
    transparent().save(home / "alpha.webp", lossless=True)
    transparent().convert("LA").save(home / "gray alpha.png")
    transparent().quantize(64).save(home / "palette alpha.png")
    transparent().save(home / "alpha.gif")
    Image.fromarray(pixels(1, 60, 3)).save(home / "wide.bmp")
    Image.fromarray(pixels(60, 1, 3)).save(home / "high.png")
    Image.fromarray(pixels(1, 1, 3)).save(home / "tiny.png")
    Image.fromarray(pixels(300, 300, 3)).save(home / "large.jpg")  # read reduced


@pytest.mark.parametrize("resize", RESIZES)
def test_odd_pictures_come_to_the_model_as_in_training(fitted, copy, shared_pictures, tmp_path, resize):
    """The same pixels, so that the files and the Keras model, each on its own way, score alike."""
    for part, take in (("train", range(10)), ("validation", range(10, 14))):
        for colour in ("blue", "green", "red"):
            home = tmp_path / "pictures" / part / colour
            home.mkdir(parents=True)
            for index in take:
                shutil.copy(shared_pictures / colour / f"{index:02}.png", home)
    for colour in ("blue", "green", "red"):
        odd_pictures(tmp_path / "pictures" / "test" / colour)
    photos = from_folder(tmp_path / "pictures", resize=resize)
    batches = photos.batches("test", image_size=32, batch_size=16)
    seen = np.concatenate([images for images, _ in batches.as_numpy_iterator()])
    rewrite_card(copy, lambda card: card | {"input": card["input"] | {"resize": resize}})
    predictor, files = load(copy), photos.paths("test")
    assert len(files) == 3 * 22
    np.testing.assert_array_equal(seen, [predictor._read((str(file), file), views=())[0] for file in files])
    expected = fitted[0].predict(batches, verbose=0)
    np.testing.assert_allclose(predictor.scores(files), expected, atol=1e-5)


def test_bytes_and_pixels_are_predicted_as_files_are(bundle, photos):
    predictor, path = load(bundle[0]), photos.paths("test")[0]
    (expected,) = predictor.predict(path)
    pixels = np.asarray(Image.open(path))
    said = predictor.predict([path.read_bytes(), path, pixels])
    assert [each.file for each in said] == ["picture 1", str(path), "picture 3"]
    assert [each.scores for each in said] == [expected.scores] * 3
    assert predictor.predict(path.read_bytes()) == said[:1]
    frames = predictor.predict(np.stack([pixels] * 2))
    assert [(each.file, each.scores) for each in frames] == [
        ("picture 1", expected.scores),
        ("picture 2", expected.scores),
    ]


def test_one_after_the_other_the_bad_are_told_in_their_place(bundle, photos, tmp_path):
    (tmp_path / "a.png").touch()
    path = photos.paths("test")[0]
    given = [("good", path)] * 70 + [("bad", tmp_path / "a.png")] + [("good", path)]
    said = list(load(bundle[0]).predict_each(iter(given)))
    assert [each.label for each in said[:70]] == [said[71].label] * 70
    assert isinstance(said[70], DataError)
    assert str(said[70]) == "bad is an empty file."


def test_only_a_portion_is_read_ahead(bundle, photos):
    path, asked = photos.paths("test")[0], []

    def endless():
        while True:
            asked.append(path)
            yield "one more", path

    said = load(bundle[0]).predict_each(endless())
    assert next(said).file == "one more"
    assert len(asked) == 64
    said.close()


def test_a_bundle_of_before_there_were_tasks_is_of_one_label(copy, photos):
    rewrite_card(copy, lambda card: {key: value for key, value in card.items() if key != "task"})
    (prediction,) = load(copy).predict(photos.paths("test")[0])
    assert prediction.label in photos.classes


def test_a_task_of_a_later_version(copy, says):
    rewrite_card(copy, lambda card: card | {"task": "segmentation"})
    message = (
        f"{copy} is for a task 'segmentation', and this version of tfxfer knows single_label, multi_label, "
        "regression; take a newer one."
    )
    refused(copy, message, says)


def rewrite_card(folder, change):
    """Write the card anew, and its digest with it."""
    card, manifest = (json.loads((folder / f"{name}.json").read_text()) for name in ("card", "manifest"))
    (folder / "card.json").write_text(json.dumps(change(card)))
    manifest["files"]["card.json"]["sha256"] = file_sha256(folder / "card.json")
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_one_file_gives_a_list_of_one(bundle, photos):
    (prediction,) = load(bundle[0]).predict(str(photos.paths("test")[0]))
    assert set(prediction.to_dict()) == {"file", "label", "probability", "scores", "known"}


@pytest.mark.parametrize("task", ["multi_label", "regression"])
def test_no_task_needs_tensorflow(of_task, task):
    photos, _, _, folder, _ = of_task[task]
    code = (
        "import sys\nsys.modules['tensorflow'] = sys.modules['keras'] = None\n"
        "import json, tfxfer\n"
        f"(said,) = tfxfer.load({str(folder)!r}).predict({str(photos.paths('test')[0])!r})\n"
        "print(json.dumps(said.to_dict()))"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    said = json.loads(run.stdout)
    assert tuple(said["numbers" if task == "regression" else "scores"]) == photos.classes


def test_tensorflow_is_not_needed(bundle, photos):
    code = (
        "import sys\nsys.modules['tensorflow'] = sys.modules['keras'] = None\n"
        "import tfxfer\n"
        f"print(tfxfer.load({str(bundle[0])!r}).predict({str(photos.paths('test')[0])!r})[0].label)"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() in photos.classes


def test_three_files_are_all_it_takes(bundle, photos, tmp_path):
    for name in ("model.tflite", "card.json", "manifest.json"):
        shutil.copy(bundle[0] / name, tmp_path)
    path = photos.paths("test")[0]
    assert load(tmp_path).predict(path) == load(bundle[0]).predict(path)


def test_a_picture_that_cannot_be_read_is_named(bundle, tmp_path, says):
    (tmp_path / "a.png").touch()
    with pytest.raises(DataError, match=says(f"{tmp_path / 'a.png'} is an empty file.")):
        load(bundle[0]).predict([tmp_path / "a.png"])
    with pytest.raises(DataError, match=says("picture 2 is empty.")):
        load(bundle[0]).scores([np.zeros((8, 8, 3), np.uint8), b""])


def refused(folder, message, says):
    with pytest.raises(BundleError, match=says(message)):
        load(folder)


def test_a_folder_that_is_missing(tmp_path, says):
    folder = tmp_path / "nowhere"
    refused(folder, f"{folder} is not a folder; give one that tfxfer train wrote.", says)


def test_a_folder_that_is_no_bundle(tmp_path, says):
    message = f"{tmp_path} has no manifest.json, so it is no bundle; give a folder that tfxfer train wrote."
    refused(tmp_path, message, says)


def test_a_model_that_was_changed(copy, says):
    path = copy / "model.tflite"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    message = f"{path} is not the file that was exported (its SHA-256 differs); export the model again."
    refused(copy, message, says)


def test_a_model_that_was_lost(copy, says):
    (copy / "model.tflite").unlink()
    refused(copy, f"{copy} has lost its model.tflite; export the model again.", says)


def test_a_bundle_without_tflite(copy, says):
    manifest = json.loads((copy / "manifest.json").read_text())
    del manifest["files"]["model.tflite"]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    message = f"{copy} was exported without model.tflite; export the model again, with all formats."
    refused(copy, message, says)


@pytest.mark.parametrize("content", ["{", "[]", ""], ids=["cut", "list", "empty"])
def test_a_damaged_manifest(copy, content):
    (copy / "manifest.json").write_text(content)
    with pytest.raises(BundleError, match=r"^.*manifest\.json is damaged \(.*\); export the model again\.$"):
        load(copy)
