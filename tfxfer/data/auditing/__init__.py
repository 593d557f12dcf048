"""Every picture is looked at, and what is the matter is told."""
