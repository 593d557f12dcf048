"""What learns, when and how, as data."""
