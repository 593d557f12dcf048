"""Modules of TensorFlow Hub: one Keras 3 layer around a reusable SavedModel."""
