"""preset_source: folders, names and addresses; servers are asked within a time, caches where none answers."""

import http.server
import os
import socket
import threading
import time

import pytest

from tfxfer.backbones.kerashub import fetch
from tfxfer.backbones.kerashub.fetch import preset_source
from tfxfer.errors import SettingError, WeightsError

pytest.importorskip("keras_hub", reason="needs the extra kerashub", exc_type=ImportError)

KNOWN = {
    name: {"kaggle_handle": f"kaggle://keras/net/keras/{name}/2"}
    for name in ("net_18_photos", "net_50_photos")
}
ADVICE = "give a folder that save_to_preset wrote, or take a backbone that `tfxfer backbones` lists."


@pytest.fixture
def kaggle_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kaggle"))
    return tmp_path / "kaggle"


@pytest.fixture
def hugging_face_cache(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hf"))
    return tmp_path / "hf"


def at(host, monkeypatch):
    monkeypatch.setattr(fetch, "HOSTS", {"kaggle": host, "hf": host})


@pytest.fixture
def nobody(monkeypatch):
    """An address that nobody listens at."""
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        host = f"http://127.0.0.1:{unheard.getsockname()[1]}"
        at(host, monkeypatch)
        yield host


@pytest.fixture
def answering(monkeypatch):
    """A server that answers, if with an error."""
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as running:
        monkeypatch.setattr(http.server.BaseHTTPRequestHandler, "log_message", lambda *_: None)
        threading.Thread(target=running.serve_forever, daemon=True).start()
        at(f"http://127.0.0.1:{running.server_address[1]}", monkeypatch)
        yield
        running.shutdown()


def cached(folder):
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return str(folder)


def test_a_folder_is_used_where_it_is(tmp_path):
    assert preset_source(str(tmp_path), KNOWN) == str(tmp_path)


@pytest.mark.usefixtures("answering")
@pytest.mark.parametrize(
    ("handle", "source"),
    [
        ("net_18_photos", "kaggle://keras/net/keras/net_18_photos/2"),
        ("kaggle://mine/net/keras/small", "kaggle://mine/net/keras/small"),
        ("hf://mine/net", "hf://mine/net"),
    ],
)
def test_a_server_that_answers_is_left_to_keras_hub(handle, source):
    assert preset_source(handle, KNOWN) == source


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("handle", ["net_18_photos", "kaggle://keras/net/keras/net_18_photos"])
def test_where_kaggle_is_silent_its_cache_is_used(handle, kaggle_cache):
    home = kaggle_cache / "models" / "keras" / "net" / "keras" / "net_18_photos"
    folder = cached(home / "2")
    assert preset_source(handle, KNOWN) == folder


@pytest.mark.usefixtures("nobody")
def test_of_versions_without_a_number_asked_for_the_newest_is_used(kaggle_cache):
    home = kaggle_cache / "models" / "keras" / "net" / "keras" / "net_18_photos"
    cached(home / "9")
    newest = cached(home / "10")
    (home / "11").mkdir()
    assert preset_source("kaggle://keras/net/keras/net_18_photos", KNOWN) == newest


@pytest.mark.usefixtures("nobody")
def test_where_hugging_face_is_silent_its_cache_is_used(hugging_face_cache):
    home = hugging_face_cache / "models--mine--net"
    folder = cached(home / "snapshots" / "abc")
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text("abc")
    assert preset_source("hf://mine/net", KNOWN) == folder


@pytest.mark.parametrize("handle", ["net_18_photos", "hf://mine/net"])
def test_without_network_and_cache_the_ways_out_are_named(
    handle, nobody, kaggle_cache, hugging_face_cache, says
):
    cache, variable = (
        (hugging_face_cache, "HF_HOME") if "hf:" in handle else (kaggle_cache, "KAGGLEHUB_CACHE")
    )
    message = (
        f"kerashub:{handle} is not in the cache ({cache}), and {nobody} cannot be reached ([Errno 111] "
        f"{os.strerror(111)}); connect to the network, set {variable} to a cache that has it, {ADVICE}"
    )
    with pytest.raises(WeightsError, match=says(message)):
        preset_source(handle, KNOWN)


@pytest.mark.parametrize("seconds", [0.5, fetch.TIMEOUT])
def test_a_silent_server_is_given_up(seconds, kaggle_cache, monkeypatch, says):
    monkeypatch.setattr(fetch, "TIMEOUT", seconds)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        host = f"http://127.0.0.1:{listening.getsockname()[1]}"
        at(host, monkeypatch)
        message = (
            f"kerashub:net_18_photos is not in the cache ({kaggle_cache}), and {host} cannot be reached (no "
            f"answer within {seconds:g} seconds); connect to the network, set KAGGLEHUB_CACHE to a cache "
            f"that has it, {ADVICE}"
        )
        started = time.perf_counter()
        with pytest.raises(WeightsError, match=says(message)):
            preset_source("net_18_photos", KNOWN)
        assert time.perf_counter() - started < 10


FORMS = (
    "Give the name of a preset (https://keras.io/keras_hub/presets lists them), "
    "kaggle://owner/model/keras/variation, hf://owner/model, or a folder that save_to_preset wrote."
)


@pytest.mark.parametrize(
    ("handle", "hint"),
    [
        ("net_51_photos", "; did you mean 'net_50_photos'?"),
        ("zebra", "."),
        ("kaggle://mine/net", "."),
        ("presets/mine", "."),
    ],
)
def test_what_is_no_preset_is_said(handle, hint, says):
    message = f"KerasHub has no preset {handle!r}, and no such folder is here{hint} {FORMS}"
    with pytest.raises(SettingError, match=says(message)):
        preset_source(handle, KNOWN)
