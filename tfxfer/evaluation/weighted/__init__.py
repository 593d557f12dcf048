"""Figures of the same pictures under many weightings at once, which is what resampling asks for."""
