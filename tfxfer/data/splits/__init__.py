"""Which picture learns, which chooses and which judges."""
