"""Every backbone that tfxfer knows, as data."""

from __future__ import annotations

from tfxfer.backbones.catalog.dense import DENSE
from tfxfer.backbones.catalog.efficient import EFFICIENT
from tfxfer.backbones.catalog.embedded import EMBEDDED
from tfxfer.backbones.catalog.inception import INCEPTION
from tfxfer.backbones.catalog.mobile import MOBILE
from tfxfer.backbones.catalog.plain import PLAIN
from tfxfer.backbones.catalog.residual import RESIDUAL
from tfxfer.backbones.spec import BackboneSpec
from tfxfer.registry import Registry

__all__ = ["BACKBONES"]

BACKBONES: Registry[BackboneSpec] = Registry("backbone", listing="`tfxfer backbones`")
"""Backbones by name.

>>> BACKBONES["mobilenet_v2"].features
1280
>>> BACKBONES["mobilenet_v2"].stage_names[-2:]
('block_16', 'top')
"""

for _family in (EMBEDDED, MOBILE, EFFICIENT, RESIDUAL, DENSE, INCEPTION, PLAIN):
    for _spec in _family:
        BACKBONES.add(_spec)
