"""On a device: say what new pictures in a folder show, as they come; needs tfxfer-runtime, not TensorFlow.

python examples/edge.py DIR FOLDER [SECONDS]
"""

import sys
import time
from pathlib import Path

import tfxfer


def main(bundle: str, folder: str, seconds: str = "inf") -> None:
    predictor = tfxfer.load(bundle)  # a few milliseconds a picture from here on
    until, seen = time.monotonic() + float(seconds), set[Path]()
    while time.monotonic() < until:
        for picture in sorted(set(Path(folder).glob("*.jpg")) - seen):
            try:
                (said,) = predictor.predict(picture)
            except tfxfer.DataError:
                continue  # not written to its end yet, perhaps
            if said.known is not False:  # False: it seems to show none of the classes
                print(f"{picture.name}: {said.label} ({said.probability:.0%})", flush=True)
            seen.add(picture)
        time.sleep(0.5)


if __name__ == "__main__":
    main(*sys.argv[1:])
