"""One call: from a folder of pictures to a checked model, and a first prediction.

python examples/one_call.py FOLDER DIR
"""

import sys

import tfxfer


def main(folder: str, target: str) -> None:
    run = tfxfer.transfer(folder, to=target, backbone="micro", image_size=64)
    print(run.report)
    picture = run.photos.paths("test")[0]
    print(tfxfer.load(target).predict(picture))


if __name__ == "__main__":
    main(*sys.argv[1:])
