"""From a picture as it is kept to batches of pixels."""
