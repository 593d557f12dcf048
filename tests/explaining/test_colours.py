"""viridis: the ends and the middle as matplotlib has them, and lightness that rises all the way."""

import matplotlib
import numpy as np

from tfxfer.explaining.colours import viridis


def test_it_is_the_table_that_matplotlib_has():
    values = np.linspace(0, 1, 256, dtype=np.float32)[None]
    expected = (matplotlib.colormaps["viridis"](values[0])[:, :3] * 255).round()
    np.testing.assert_allclose(viridis(values)[0], expected, atol=1)


def test_more_is_lighter_and_what_is_out_of_range_is_at_the_end():
    values = np.linspace(0, 1, 256, dtype=np.float32)[None]
    lightness = viridis(values)[0] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(lightness) > -0.5).all()
    np.testing.assert_array_equal(viridis(np.float32([[-1, 2]])), viridis(np.float32([[0, 1]])))
