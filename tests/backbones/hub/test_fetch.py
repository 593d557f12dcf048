"""module_folder: folders, archives, addresses; fetched once, then offline; failures in time and plain."""

import functools
import http.server
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import time

import pytest

from tfxfer.backbones.hub import fetch
from tfxfer.backbones.hub.fetch import address_of, module_folder
from tfxfer.errors import WeightsError


def packed(module, file, *, inside="."):
    with tarfile.open(file, "w:gz") as archive:
        archive.add(module, arcname=inside)
    return file


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Counting(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, and remembers what was asked for."""

    def do_GET(self):
        self.server.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path):
    """A server of the folder ``served`` on this machine."""
    (tmp_path / "served").mkdir()
    handler = functools.partial(Counting, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        running.asked = []
        running.folder = tmp_path / "served"
        running.address = f"http://127.0.0.1:{running.server_address[1]}"
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


@pytest.mark.parametrize("inside", [".", "nested"])
def test_a_local_archive_is_unpacked_for_a_while(hub_module, tmp_path, inside):
    archive = packed(hub_module, tmp_path / "module.tar.gz", inside=inside)
    with module_folder(str(archive)) as folder:
        assert (folder / "saved_model.pb").is_file()
    assert not folder.exists()


def test_a_local_folder_is_used_where_it_is(hub_module):
    with module_folder(str(hub_module)) as folder:
        assert folder == hub_module


def test_an_address_is_fetched_once_and_then_offline(hub_module, server, cache):
    packed(hub_module, server.folder / "module.tar.gz")
    address = f"{server.address}/module.tar.gz"
    for _ in range(2):
        with module_folder(address) as folder:
            assert (folder / "saved_model.pb").is_file()
            assert cache in folder.parents
    assert server.asked == ["/module.tar.gz?tf-hub-format=compressed"]
    server.shutdown()
    server.server_close()
    with module_folder(address) as folder:
        assert (folder / "saved_model.pb").is_file()


def test_a_local_module_needs_no_tensorflow_hub(hub_module):
    code = (
        "import sys\n"
        "from tfxfer.backbones.hub.fetch import module_folder\n"
        f"with module_folder({str(hub_module)!r}):\n"
        "    assert not {'tensorflow_hub', 'tensorflow'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.usefixtures("cache")
def test_tensorflow_hub_is_left_as_it_was(hub_module, server):
    from tensorflow_hub import registry

    before = list(registry.resolver._impls)
    packed(hub_module, server.folder / "module.tar.gz")
    with module_folder(f"{server.address}/module.tar.gz"):
        pass
    assert registry.resolver._impls == before


@pytest.mark.parametrize(
    ("handle", "address"),
    [
        ("https://example.com/a.tar.gz", "https://example.com/a.tar.gz"),
        (
            "google/mobilenet-v2/tensorFlow2/035-224-feature-vector/2",
            "https://www.kaggle.com/models/google/mobilenet-v2/tensorFlow2/035-224-feature-vector/2",
        ),
        ("google/mobilenet-v2/pyTorch/035/2", None),
        ("modules/mine", None),
        ("ftp://example.com/a.tar.gz", None),
    ],
)
def test_addresses_are_known(handle, address):
    assert address_of(handle) == address


def test_nothing_there_says_what_there_could_be(says):
    message = (
        "hub:modules/mine is neither a folder or archive on this machine nor an address; give a folder with "
        "a saved_model.pb, a .tar.gz file, an https:// address, or a model of Kaggle "
        "(owner/model/tensorFlow2/variation/version)."
    )
    with pytest.raises(WeightsError, match=says(message)), module_folder("modules/mine"):
        pass


ADVICE = (
    "check the address and the network, set TFHUB_CACHE_DIR to a cache that has it, or give a folder or "
    ".tar.gz file on this machine."
)


def test_an_address_that_is_not_served_says_so(server, cache, says):
    address = f"{server.address}/nonesuch.tar.gz"
    host = server.address.removeprefix("http://")
    message = (
        f"hub:{address} is not in the cache and cannot be fetched from {host} (File not found); {ADVICE}"
    )
    with pytest.raises(WeightsError, match=says(message)), module_folder(address):
        pass
    assert list(cache.glob("*")) == []


@pytest.mark.usefixtures("cache")
def test_a_dead_address_says_so_within_ten_seconds(says):
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))  # bound, and listening to nobody
        host = f"127.0.0.1:{unheard.getsockname()[1]}"
        address = f"http://{host}/module.tar.gz"
        reason = f"[Errno 111] {os.strerror(111)}"
        message = f"hub:{address} is not in the cache and cannot be fetched from {host} ({reason}); {ADVICE}"
        started = time.perf_counter()
        with pytest.raises(WeightsError, match=says(message)), module_folder(address):
            pass
        assert time.perf_counter() - started < 10


@pytest.mark.parametrize("first", [b"", b"HTTP/1.0 200 OK\r\n\r\n\x1f\x8b"], ids=["nothing", "the start"])
@pytest.mark.usefixtures("cache")
def test_a_silent_server_is_given_up(first, monkeypatch, says):
    monkeypatch.setattr(fetch, "TIMEOUT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        host = f"127.0.0.1:{listening.getsockname()[1]}"
        silent = []

        def serve():
            silent.append(listening.accept()[0])
            silent[0].sendall(first)

        thread = threading.Thread(target=serve)
        thread.start()
        address = f"http://{host}/module.tar.gz"
        message = (
            f"hub:{address} is not in the cache and cannot be fetched from {host} (no answer within 0.5 "
            f"seconds); {ADVICE}"
        )
        with pytest.raises(WeightsError, match=says(message)), module_folder(address):
            pass
        thread.join()
        silent[0].close()


@pytest.mark.parametrize("damage", ["page", "short"])
def test_a_damaged_download_is_not_cached(hub_module, server, cache, damage, says):
    file = packed(hub_module, server.folder / "module.tar.gz")
    content = file.read_bytes()
    file.write_bytes(b"<html>" if damage == "page" else content[: len(content) // 2])
    address = f"{server.address}/module.tar.gz"
    message = (
        f"hub:{address} is no whole .tar.gz archive: it is cut short, damaged, or something else; get it "
        "again, or check the address."
    )
    with pytest.raises(WeightsError, match=says(message)), module_folder(address):
        pass
    assert list(cache.glob("*")) == []
    file.write_bytes(content)
    with module_folder(address) as folder:
        assert (folder / "saved_model.pb").is_file()


@pytest.mark.usefixtures("cache")
def test_without_tensorflow_hub_the_way_around_is_named(monkeypatch, says):
    monkeypatch.setitem(sys.modules, "tensorflow_hub", None)
    monkeypatch.delitem(sys.modules, "tfxfer.backbones.hub.resolver", raising=False)
    message = (
        "TensorFlow Hub does not load (import of tensorflow_hub halted; None in sys.modules), so nothing can "
        "be fetched; install tensorflow-hub and setuptools below 82, or give a folder or .tar.gz file on "
        "this machine."
    )
    with pytest.raises(WeightsError, match=says(message)), module_folder("https://example.com/a.tar.gz"):
        pass


def test_build_takes_an_address(hub_module, server, cache, tmp_path):
    from tfxfer.models import build

    packed(hub_module, server.folder / "Small-Net.tar.gz")
    address = f"{server.address}/Small-Net.tar.gz"
    model = build(classes=2, backbone=f"hub:{address}", image_size=32, pixel_range=(0, 1))
    shutil.rmtree(cache)
    model.save(tmp_path / "model.keras")
    assert model.name.endswith("small_net")
