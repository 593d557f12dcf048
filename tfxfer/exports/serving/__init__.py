"""A SavedModel that servers take: pixels or picture files in, labels out."""
