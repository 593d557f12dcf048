"""Pictures changed by chance that still show what they showed: policies as data, and what runs them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
