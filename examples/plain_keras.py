"""Plain Keras: tfxfer builds and slices, Keras compiles and fits.

python examples/plain_keras.py FOLDER FILE.keras
"""

import sys

import keras

import tfxfer


def main(folder: str, file: str) -> None:
    photos = tfxfer.from_folder(folder)
    model = tfxfer.build(photos, backbone="micro", image_size=64)
    training, validation = (photos.batches(part, image_size=64) for part in ("train", "validation"))

    for what, rate, epochs in (("head", 3e-3, 10), (-1, 1e-4, 5)):
        print(tfxfer.set_trainable(model, what))
        model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(training, validation_data=validation, epochs=epochs, verbose=2)

    print(tfxfer.evaluate(model, photos))
    model.save(file)


if __name__ == "__main__":
    main(*sys.argv[1:])
