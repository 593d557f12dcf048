"""resolved: what TensorFlow Hub does with an address, minus its patience; tested whole in test_fetch."""

import threading
from pathlib import Path

import pytest

from tfxfer.backbones.hub.resolver import CarefulResolver, resolved


def test_a_cache_of_tensorflow_hub_s_own_is_read(tmp_path, monkeypatch):
    """Its folders are named by the SHA-1 of the address, so that one may be filled elsewhere."""
    import hashlib

    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    address = "https://example.com/module/1"
    folder = tmp_path / hashlib.sha1(address.encode()).hexdigest()
    folder.mkdir()
    (folder / "saved_model.pb").touch()
    assert Path(resolved(address, label="it", timeout=1.0)) == folder


def test_files_and_other_protocols_are_not_its_affair():
    careful = CarefulResolver("it", 1.0)
    assert careful.is_supported("https://example.com/module/1")
    assert not careful.is_supported("/tmp/module")


def test_an_archive_that_ends_between_two_files_is_not_whole(tmp_path, monkeypatch, says):
    import http.server

    from tfxfer.errors import WeightsError

    class Short(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "20000")
            self.end_headers()
            self.wfile.write(bytes(10240))  # an empty archive, whole as such

        def log_message(self, *_):
            pass

    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    with http.server.HTTPServer(("127.0.0.1", 0), Short) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/module.tar"
        message = (
            "it is no whole .tar.gz archive: it is cut short, damaged, or something else; get it again, or "
            "check the address."
        )
        with pytest.raises(WeightsError, match=says(message)):
            resolved(address, label="it", timeout=2.0)
