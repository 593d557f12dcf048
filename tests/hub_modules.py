"""Small SavedModels of every kind that people bring, written without tf_keras."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

CHANNELS = {"stem": (3, 6), "block_1": (6, 8), "block_2": (8, 8)}
PENALTY = 0.01


def _variables() -> dict[str, tf.Variable]:
    """Make the variables of a stem and two blocks, each a convolution and a BatchNorm."""
    made = {}
    for seed, (block, (before, after)) in enumerate(CHANNELS.items()):
        kernel = tf.random.stateless_normal((3, 3, before, after), (seed, 1)) * 0.3
        start = {
            f"{block}/conv/kernel": (kernel, True),
            f"{block}/norm/gamma": (tf.ones(after), True),
            f"{block}/norm/beta": (tf.zeros(after), True),
            f"{block}/norm/moving_mean": (tf.zeros(after), False),
            f"{block}/norm/moving_variance": (tf.ones(after), False),
        }
        for name, (value, trainable) in start.items():
            made[name] = tf.Variable(value, trainable=trainable, name=name)
    return made


def _layers(x: tf.Tensor, variables: dict[str, tf.Variable], *, training: bool) -> tf.Tensor:
    for block in CHANNELS:
        x = tf.nn.conv2d(x, variables[f"{block}/conv/kernel"], 2, "SAME")
        mean, variance = (variables[f"{block}/norm/{name}"] for name in ("moving_mean", "moving_variance"))
        now = (tf.convert_to_tensor(mean), tf.convert_to_tensor(variance))
        if training:
            now = tf.nn.moments(x, [0, 1, 2])
            for average, value in zip((mean, variance), now, strict=True):
                average.assign_sub(0.1 * (average - value))
        gamma, beta = (variables[f"{block}/norm/{name}"] for name in ("gamma", "beta"))
        x = tf.nn.relu(tf.nn.batch_normalization(x, *now, beta, gamma, 1e-3))
    return x


def _traced(function: Callable[..., Any], size: int | None) -> Any:
    """Trace a function for both modes, as the reusable interface asks."""
    graph = tf.function(function)
    for training in (False, True):
        graph.get_concrete_function(tf.TensorSpec((None, size, size, 3), tf.float32), training=training)
    return graph


def reusable(
    folder: Path,
    *,
    size: int | None = None,
    pooled: bool = False,
    listed: bool = True,
    rename: Callable[[str], str] | None = None,
) -> Path:
    """Write a module with __call__(inputs, training), its lists of variables and its penalties.

    Args:
        folder: Where to.
        size: The side it is bound to; None takes any.
        pooled: Give a vector rather than a map.
        listed: Whether it lists its variables; a module that does not is for inference alone.
        rename: Gives the variables other names.
    """
    variables = _variables()
    if rename:
        variables = {
            key: tf.Variable(v, trainable=v.trainable, name=rename(key)) for key, v in variables.items()
        }
    module = tf.__internal__.tracking.AutoTrackable()

    def call(inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        x = _layers(inputs, variables, training=training)
        return tf.reduce_mean(x, [1, 2]) if pooled else x

    module.__call__ = _traced(call, size)
    module.held = list(variables.values())
    if listed:
        # Statistics first: the order of the list is the module's affair.
        module.variables = sorted(variables.values(), key=lambda v: v.trainable)
        module.trainable_variables = [v for v in variables.values() if v.trainable]
        kernels = [v for v in variables.values() if "kernel" in v.name]
        module.regularization_losses = [_penalty(kernel) for kernel in kernels]
    tf.saved_model.save(module, str(folder))
    return folder


def _penalty(kernel: tf.Variable) -> Any:
    return tf.function(lambda: PENALTY * tf.nn.l2_loss(kernel), input_signature=())


def from_keras_3(folder: Path) -> Path:
    """Write what ``keras.export.ExportArchive`` makes of a plain network, with __call__ beside it."""
    image = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(6, 3, 2, name="stem")(image)
    x = keras.layers.BatchNormalization(name="stem_norm")(x)
    network = keras.Model(image, keras.layers.GlobalAveragePooling2D()(x))
    archive = keras.export.ExportArchive()
    archive.track(network)
    archive.add_endpoint("serve", network.call, [tf.TensorSpec((None, 32, 32, 3), tf.float32)])
    archive._tf_trackable.__call__ = _traced(
        lambda inputs, training=False: network(inputs, training=training), 32
    )
    archive.write_out(str(folder), verbose=False)
    return folder


def without_training(folder: Path) -> Path:
    """Write a module whose __call__ takes pictures and nothing else."""
    module = tf.Module()
    kernel = tf.Variable(tf.random.stateless_normal((3, 3, 3, 5), (1, 2)), name="only/kernel")
    module.kernel = kernel
    signature = [tf.TensorSpec((None, 32, 32, 3), tf.float32)]
    module.__call__ = tf.function(
        lambda inputs: tf.nn.conv2d(inputs, kernel, 2, "SAME"), input_signature=signature
    )
    holder = tf.__internal__.tracking.AutoTrackable()
    holder.__call__ = module.__call__
    holder.variables = [kernel]
    holder.trainable_variables = [kernel]
    tf.saved_model.save(holder, str(folder))
    return folder


def signature_only(folder: Path, *, names: tuple[str, ...] = ("serving_default",), keys: int = 1) -> Path:
    """Write a module that cannot be called, only through signatures."""
    module = tf.Module()
    module.kernel = tf.Variable(tf.random.stateless_normal((3, 3, 3, 5), (1, 2)), name="only/kernel")

    @tf.function(input_signature=[tf.TensorSpec((None, 32, 32, 3), tf.float32, name="images")])
    def serve(images: tf.Tensor) -> dict[str, tf.Tensor]:
        x = tf.reduce_mean(tf.nn.conv2d(images, module.kernel, 2, "SAME"), [1, 2])
        return {f"features_{key}" if key else "features": x for key in range(keys)}

    tf.saved_model.save(module, str(folder), signatures=dict.fromkeys(names, serve))
    return folder


def tf1_format(folder: Path) -> Path:
    """Write a SavedModel of TensorFlow 1: a graph and a signature named default, no objects."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        images = tf.compat.v1.placeholder(tf.float32, (None, 32, 32, 3), name="images")
        with tf.compat.v1.variable_scope("net", use_resource=True):
            kernel = tf.compat.v1.get_variable("kernel", (3, 3, 3, 5))
        features = tf.reduce_mean(tf.nn.conv2d(images, kernel, 2, "SAME"), [1, 2])
        session.run(tf.compat.v1.global_variables_initializer())
        builder = tf.compat.v1.saved_model.Builder(str(folder))
        signature = tf.compat.v1.saved_model.predict_signature_def({"images": images}, {"default": features})
        builder.add_meta_graph_and_variables(session, [], signature_def_map={"default": signature})
        builder.save()
    (folder / "tfhub_module.pb").write_bytes(b"\x08\x03")
    return folder


def with_table(folder: Path) -> Path:
    """Write a module that looks something up in a table read from a file of its own, and hides a variable."""
    words = folder.with_name("words.txt")
    words.write_text("zero\none\n")
    whole, number = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
    reader = tf.lookup.TextFileInitializer(str(words), tf.string, whole, tf.int64, number)
    module = tf.__internal__.tracking.AutoTrackable()
    module.table = tf.lookup.StaticHashTable(reader, -1)
    module.scale = tf.Variable(tf.ones((3,)), name="scale")
    module.hidden = tf.Variable(2.0, trainable=False, name="hidden")

    def call(inputs: tf.Tensor, training: bool = False) -> tf.Tensor:  # noqa: ARG001
        offset = tf.cast(module.table.lookup(tf.constant("one")), tf.float32)
        return tf.reduce_mean(inputs, [1, 2]) * module.scale * module.hidden + offset

    module.__call__ = _traced(call, 32)
    module.variables = module.trainable_variables = [module.scale]
    tf.saved_model.save(module, str(folder))
    words.unlink()
    return folder


def text(folder: Path) -> Path:
    """Write a module that takes strings."""
    module = tf.Module()
    module.__call__ = tf.function(tf.strings.length, input_signature=[tf.TensorSpec((None,), tf.string)])
    tf.saved_model.save(module, str(folder))
    return folder


def endless(folder: Path) -> Path:
    """Write a SavedModel without anything to call."""
    module = tf.Module()
    module.kernel = tf.Variable(1.0)
    tf.saved_model.save(module, str(folder))
    return folder


def reading_files(folder: Path) -> Path:
    """Write a module whose graph reads a file of the machine it runs on."""
    module = tf.Module()

    def call(inputs: tf.Tensor) -> tf.Tensor:
        length = tf.strings.length(tf.io.read_file("/etc/hostname"))
        return inputs + tf.cast(length, tf.float32)

    module.__call__ = tf.function(call, input_signature=[tf.TensorSpec((None, 32, 32, 3), tf.float32)])
    tf.saved_model.save(module, str(folder))
    return folder


def of_bytes(folder: Path) -> Path:
    """Write a module that takes bytes and gives each channel's mean."""
    return _plain(folder, lambda pixels: tf.reduce_mean(tf.cast(pixels, tf.float32), [1, 2]), tf.uint8)


def of_tokens(folder: Path) -> Path:
    """Write a module that gives one vector a pixel."""
    return _plain(folder, lambda pixels: tf.reshape(pixels, (-1, 1024, 3)), tf.float32)


def _plain(folder: Path, call: Callable[[tf.Tensor], tf.Tensor], dtype: tf.DType) -> Path:
    module = tf.Module()
    module.__call__ = tf.function(call, input_signature=[tf.TensorSpec((None, 32, 32, 3), dtype)])
    tf.saved_model.save(module, str(folder))
    return folder
