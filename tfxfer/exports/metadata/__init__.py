"""What a .tflite file says of itself, in the form that phones' tools read, and how it tests itself."""
