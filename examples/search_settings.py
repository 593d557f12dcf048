"""A search: which rates and how much dropout suit these pictures, by six trials on the validation part.

python examples/search_settings.py FOLDER DIR
"""

import sys

import tfxfer
from tfxfer import FloatRange


def main(folder: str, target: str) -> None:
    found = tfxfer.search(
        folder,
        to=target,
        trials=6,
        space={"head_rate": FloatRange(1e-4, 1e-1, log=True), "dropout": FloatRange(0.0, 0.5)},
        backbone="micro",
        image_size=32,
        plan="head",
        head_epochs=5,
    )
    print(found)
    print(found.best.settings)


if __name__ == "__main__":
    main(*sys.argv[1:])
