"""A backbone and a head become one flat model; which of its layers learn is said here."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
