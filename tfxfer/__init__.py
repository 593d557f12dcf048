"""Visual transfer learning on Keras 3: a folder of pictures in, a checked model out."""

import lazy_loader

from tfxfer.runtime.memory_growth import let_memory_grow as _let_memory_grow

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

_let_memory_grow()
