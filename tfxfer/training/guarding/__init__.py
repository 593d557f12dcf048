"""Whether fine-tuning was worth it, told before it is too late."""
