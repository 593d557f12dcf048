"""Smaller numbers for phones: by TensorFlow's converter or ai-edge-quantizer, whichever does better."""
