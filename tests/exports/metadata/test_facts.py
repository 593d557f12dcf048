"""The labels of a file, one a line."""

from tfxfer.exports.metadata.facts import labels_text


def test_each_label_has_a_line_in_order():
    assert labels_text(("rose", "daisy, wild", "Gänseblümchen")) == "rose\ndaisy, wild\nGänseblümchen\n"
