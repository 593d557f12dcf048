"""What the model looks at: is it the thing itself, or something beside it that gives it away?

python examples/what_it_looks_at.py FOLDER DIR
"""

import sys
from pathlib import Path

import tfxfer


def main(folder: str, target: str) -> None:
    photos = tfxfer.from_folder(folder)
    model = tfxfer.build(photos, backbone="micro", image_size=64)
    log = tfxfer.fit(model, photos)
    report = tfxfer.evaluate(model, photos)
    print(f"accuracy {report.accuracy:.1%}")
    tfxfer.export(model, target, photos, report=report, log=log)

    shown = photos.paths("test")[:3]
    for found in tfxfer.explain(target, shown):  # by Grad-CAM, of the likeliest class
        print(found)
        found.save(Path(target) / "looks_at" / f"{found.label}-{Path(found.file).stem}.png", original=True)

    # Occlusion asks the scores alone: where both agree, there is something in it.
    (other,) = tfxfer.explain(target, shown[0], method="occlusion", label=photos.classes[0])
    print(other, f"{(other.map > 0.5).mean():.1%} of the picture matters most")


if __name__ == "__main__":
    main(*sys.argv[1:])
