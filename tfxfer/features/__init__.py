"""What a frozen part makes of pictures: computed once, kept, and learnt from."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
