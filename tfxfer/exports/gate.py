"""The gate: each form is written, loaded again, held beside the model, and handed out within its bounds."""

from __future__ import annotations

import json
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras

from tfxfer.errors import BundleError, ParityError, TfxferWarning
from tfxfer.evaluation import Rejection, with_known
from tfxfer.exports.artifact import Artifact, Comparison, KnownComparison
from tfxfer.exports.formats import Format, Making
from tfxfer.exports.known import KnownYardstick
from tfxfer.exports.material import Material
from tfxfer.exports.metadata.facts import FileFacts
from tfxfer.exports.metadata.write import describe
from tfxfer.exports.parity import FILES_BOUND, Yardstick
from tfxfer.models import computing_in
from tfxfer.runtime import file_sha256, whole_float32

__all__ = ["write_forms"]

_BATCH = 32
_ADVICE = "Take another format, more test pictures, or accept=True (--accept)."


def write_forms(
    chosen: Sequence[Format],
    model: keras.Model,
    folder: Path,
    material: Material,
    *,
    accept: bool,
    rejection: Rejection | None = None,
) -> list[Artifact]:
    """Write the forms of a model into a folder; a .tflite file says of itself what the bundle does.

    Args:
        chosen: The forms.
        model: The model.
        folder: The bundle to be, with its card.
        material: Pictures to quantize and judge by.
        accept: Whether a form is handed out that loses more than it may.
        rejection: How pictures of none of the classes are told, by the forms that can; None has none tell.

    Returns:
        One artifact a form; refused ones have no file.

    Raises:
        ParityError: One that must not differ does, or does not run at all.

    Warns:
        TfxferWarning: One is refused, or accepted past its bounds.
    """
    images, truth = material.judging
    # A twin that shares the layers but was never compiled: files carry no optimizer.
    plain = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    with computing_in("float32", plain), whole_float32():
        said = plain.predict(images, batch_size=_BATCH, verbose=0)
        scores = Yardstick.of(material.photos, said, truth)
        subject = _Subject(plain, _facts(plain, folder, material), scores)
        if rejection is not None:
            whole = with_known(plain, rejection)
            knowing = whole.predict(images, batch_size=_BATCH, verbose=0)["known"]
            known = KnownYardstick(knowing, rejection.spread)
            subject = replace(subject, whole=whole, known=known)
        return [_made(each, subject, folder, material, accept=accept) for each in chosen]


@dataclass(frozen=True, slots=True, eq=False)
class _Subject:
    """What is written, and what its files are held against.

    Attributes:
        plain: The classifier.
        facts: What a .tflite file says of itself.
        yardstick: Its scores.
        whole: What also tells what is known; None where nothing does.
        known: What that says.
    """

    plain: keras.Model
    facts: FileFacts
    yardstick: Yardstick
    whole: keras.Model | None = None
    known: KnownYardstick | None = None


def _facts(model: keras.Model, folder: Path, material: Material) -> FileFacts:
    photos, card = material.photos, folder / "card.json"
    calibration = json.loads(card.read_text(encoding="utf-8")).get("calibration") or {}
    return FileFacts(
        model.name,
        photos.task,
        photos.classes,
        photos.resize,
        temperature=calibration.get("temperature"),
        card_sha256=file_sha256(card),
    )


def _made(form: Format, subject: _Subject, folder: Path, material: Material, *, accept: bool) -> Artifact:
    try:
        return _written(form, subject, folder, material, accept=accept)
    except BundleError as error:
        raise _broken(form, f"does not run ({error})") from error


def _written(form: Format, subject: _Subject, folder: Path, material: Material, *, accept: bool) -> Artifact:
    path, images = folder / form.filename, material.judging[0]
    tried, known = _write(form, subject, path, material, accept=accept)
    found, complaint = None, ""
    try:
        if path.suffix == ".tflite":
            telling = known is not None and not known.refused
            # What is known is told less the threshold.
            describe(path, replace(subject.facts, reject_threshold=0.0) if telling else subject.facts)
        found = subject.yardstick.compare(form.scores(path, images))
        complaint = subject.yardstick.complaint(found, form.bounds)
    except BundleError as error:
        complaint = _not_running(path, error)
    if complaint and form.bounds.exact:
        raise _broken(form, complaint)
    accept = accept and found is not None
    parts = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in parts)
    if complaint:
        _tell(form, complaint, accept=accept, advice=_ADVICE if found else "Take another format.")
    files = _of_files(form, subject.yardstick, path, material)
    if complaint and not accept:
        _remove(path)
    return Artifact(
        form.name,
        path,
        size,
        found,
        refused="" if accept else complaint,
        made=str(tried[-1]["made"]) if tried else "",
        tried=tuple(tried),
        known=known,
        files=files,
        ranges_from=len(material.representative) if form.quantized else 0,
        accepted=complaint if accept else "",
    )


def _of_files(form: Format, yardstick: Yardstick, path: Path, material: Material) -> Comparison | None:
    """Hold what a form says of files, which it reads itself, beside what the model says of their pixels."""
    if form.files is None or not material.files:
        return None
    places, files = zip(*material.files, strict=True)
    found = yardstick.at(places).compare(form.files(path, files))
    if not found.largest_difference <= FILES_BOUND:
        warnings.warn(
            f"{form.filename} answers {found.images} picture files up to {found.largest_difference:.2g} off "
            f"what the model says of their pixels (bound {FILES_BOUND:g}): its decoder is not Pillow; give "
            "it pixels.",
            TfxferWarning,
            stacklevel=4,
        )
    return found


def _write(
    form: Format, subject: _Subject, path: Path, material: Material, *, accept: bool
) -> tuple[Making, KnownComparison | None]:
    """Write a form that tells what is known, or where it does so badly, the classifier alone."""
    if subject.whole is None or subject.known is None:
        return form.write(subject.plain, path, material), None
    known = None
    if form.known is not None:
        said = form.write(subject.whole, path, material)
        try:
            known = subject.known.compare(form.known(path, material.judging[0]))
            complaint = subject.known.complaint(known, form.bounds)
        except BundleError as error:
            complaint = _not_running(path, error)
        if known and not complaint:
            return said, known
        if form.bounds.exact:
            raise _broken(form, complaint)
        _tell(form, complaint, accept=accept and known is not None, instead="it is handed out without known")
        if known and accept:
            return said, known
        known = known and replace(known, refused=complaint)
        _remove(path)
    # Apart, so that it is not made of what is there and has more outputs.
    with tempfile.TemporaryDirectory() as scratch:
        tried = form.write(subject.plain, Path(scratch) / path.name, material)
        shutil.move(Path(scratch) / path.name, path)
    return tried, known


def _broken(form: Format, complaint: str) -> ParityError:
    return ParityError(f"{form.filename} {complaint}; leave this format out with formats=…, and report this.")


def _not_running(path: Path, error: BundleError) -> str:
    return f"does not run ({str(error).replace(str(path), path.name)})"


def _tell(
    form: Format,
    complaint: str,
    *,
    accept: bool,
    instead: str = "it is not handed out",
    advice: str = _ADVICE,
) -> None:
    done = "it is handed out all the same, since accept was given."
    if not accept:
        done = f"{instead}. {advice}"
    warnings.warn(f"{form.filename} {complaint}; {done}", TfxferWarning, stacklevel=4)


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()
