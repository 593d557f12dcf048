"""What came of a run, for people to look at: a page, the same as text and as data, and runs side by side."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
