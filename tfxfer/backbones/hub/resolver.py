"""TensorFlow Hub's resolver and cache, made to give up on silent servers and to unpack with care."""

from __future__ import annotations

import urllib.request
import warnings
from pathlib import Path

from tfxfer.backbones.hub.archive import broken, unpack
from tfxfer.errors import WeightsError

with warnings.catch_warnings():
    # https://github.com/tensorflow/hub/issues/934
    warnings.filterwarnings("ignore", "pkg_resources is deprecated")
    warnings.filterwarnings("ignore", "Deprecated call to `pkg_resources", DeprecationWarning)
    import tensorflow_hub
    from tensorflow_hub import compressed_module_resolver, registry, resolver

__all__ = ["resolved"]


class CarefulResolver(compressed_module_resolver.HttpCompressedFileResolver):
    """Fetches as TensorFlow Hub does, into its cache, but neither waits for ever nor trusts what comes.

    Checked on tensorflow-hub 0.16.1.

    Args:
        label: What people call the module, for messages.
        timeout: Seconds without a byte before a server is given up.
    """

    def __init__(self, label: str, timeout: float) -> None:
        super().__init__()
        self._label = label
        self._timeout = timeout

    def is_supported(self, handle: str) -> bool:
        """Take every address, whatever TFHUB_MODEL_LOAD_FORMAT says: the other ways know no patience."""
        return bool(self.is_http_protocol(handle))

    def __call__(self, handle: str) -> str:
        """Return the cached folder of an address, fetched if need be."""

        def download(address: str, folder: str) -> None:
            request = urllib.request.Request(self._append_compressed_format_query(address))
            with urllib.request.urlopen(request, timeout=self._timeout, context=self._context) as answer:
                unpack(answer, Path(folder), label=self._label)
                answer.read(1 << 20)  # the padding behind the archive
                if answer.length:
                    # tarfile does not mind an archive that ends between two members.
                    raise WeightsError(broken(self._label))

        folder = compressed_module_resolver._module_dir(handle)
        return str(resolver.atomic_download(handle, download, folder, self._lock_file_timeout_sec()))

    def _lock_file_timeout_sec(self) -> int:
        """Say how long a lock is respected under which nothing grows: a killed process leaves it behind."""
        return 60


def resolved(address: str, *, label: str, timeout: float) -> str:
    """Return the folder of a module in TensorFlow Hub's cache, fetched if need be.

    Args:
        address: Where the module is, http(s).
        label: What people call it, for messages.
        timeout: Seconds without a byte before a server is given up.

    Raises:
        OSError: It cannot be fetched.
        WeightsError: What came is no archive that may be unpacked.
    """
    ours = CarefulResolver(label, timeout)
    registry.resolver.add_implementation(ours)
    try:
        return str(tensorflow_hub.resolve(address))
    finally:
        # TensorFlow Hub is left as it was, for whoever else uses it.
        registry.resolver._impls.remove(ours)
