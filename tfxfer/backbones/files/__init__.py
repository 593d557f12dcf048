"""Models in files: what tfxfer wrote, and anybody's .keras file."""
