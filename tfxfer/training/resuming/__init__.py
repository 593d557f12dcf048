"""Where a fit is, noted on disk, so that it can go on from there."""
