"""The ways to find out what in a picture speaks for a label, as data."""

from __future__ import annotations

from typing import Literal, get_args

__all__ = ["EXPLAIN_METHODS", "SUMMARIES", "ExplainMethod"]

ExplainMethod = Literal["grad-cam", "grad-cam++", "integrated-gradients", "occlusion"]

EXPLAIN_METHODS: tuple[ExplainMethod, ...] = get_args(ExplainMethod)

SUMMARIES: dict[ExplainMethod, str] = {
    "grad-cam": "the last map of the backbone, each channel weighed by its gradient",
    "grad-cam++": "the same, each place of a channel by itself, so that several objects show",
    "integrated-gradients": "the gradients of pixels on the way from a grey picture; nearly any backbone",
    "occlusion": "what the score loses where a grey square covers the picture; any backbone",
}
"""What each goes by, in a line."""
