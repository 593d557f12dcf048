"""place_labels: names close to their dots, and none on another."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from tfxfer.backbones.labels import Box, Dot, place_labels

PAGE = Box(0, 0, 800, 500)
DOTS = st.builds(
    Dot,
    st.floats(80, 720),
    st.floats(40, 460),
    st.floats(1, 20),
    st.floats(10, 70),
    st.floats(6, 10),
)


@given(DOTS)
def test_a_single_label_lies_beside_its_dot_and_on_the_page(dot):
    [box] = place_labels([dot], inside=PAGE)
    x, y = box.nearest(dot.x, dot.y)
    distance = ((x - dot.x) ** 2 + (y - dot.y) ** 2) ** 0.5
    assert dot.radius < distance < dot.radius + 4
    assert abs(box.overlap(PAGE) - box.width * box.height) < 1e-6


def test_an_obstacle_and_the_edge_are_avoided():
    dot = Dot(780, 250, 5, 60, 8)
    wall = Box(700, 240, 74, 20)
    [box] = place_labels([dot], inside=PAGE, around=[wall])
    assert box.overlap(wall) == 0
    assert box.left + box.width <= 800


def test_a_crowd_is_spread_out():
    dots = [Dot(300 + 40 * column, 200 + 25 * row, 4, 60, 8) for row in range(4) for column in range(5)]
    boxes = place_labels(dots, inside=PAGE)
    assert sum(one.overlap(other) for one, other in itertools.combinations(boxes, 2)) == 0


def test_without_room_it_still_answers():
    dots = [Dot(400, 250, 30, 400, 300)] * 4
    assert len(place_labels(dots, inside=PAGE)) == 4
