"""Visual transfer learning on Keras 3: a folder of pictures in, a checked model out."""

from typing import Any as _Any

import lazy_loader

from tfxfer.runtime.memory_growth import let_memory_grow as _let_memory_grow

__version__ = "0.1.0"

_attribute, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> _Any:
    """Import what bears the name; where tfxfer-runtime lacks what it needs, say so."""
    try:
        return _attribute(name)
    except ModuleNotFoundError as error:
        from tfxfer.runtime import left_out

        if missing := left_out(error):
            raise missing from error
        raise


_let_memory_grow()
