"""ProgressBar: one line an epoch where nobody watches, a bar where somebody does."""

import io

import pytest
from rich.console import Console

from tfxfer.training import ProgressBar, tell_chosen

LOGS = {"loss": 0.5, "accuracy": 0.8, "val_loss": 0.25, "val_accuracy": 0.9}


def shown(*, terminal):
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=120 if terminal else 60)
    with ProgressBar("[head]", epochs=2, console=console) as bar:
        for epoch in range(2):
            bar.on_epoch_end(epoch, LOGS)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("progress", "told"), [(True, "head_epochs: 50, since [so] it is.\ntop_blocks: 3, since.\n"), (False, "")]
)
def test_what_was_chosen_is_told_a_line_each(progress, told):
    console = Console(file=io.StringIO(), width=20)
    chosen = {"head_epochs": "50, since [so] it is", "top_blocks": "3, since"}
    tell_chosen(chosen, progress=progress, console=console)
    assert console.file.getvalue() == told


def test_without_a_terminal_a_line_an_epoch():
    assert shown(terminal=False) == (
        "[head] epoch 1/2  loss 0.500  validation loss 0.250  validation accuracy 0.900\n"
        "[head] epoch 2/2  loss 0.500  validation loss 0.250  validation accuracy 0.900\n"
    )


def test_metrics_of_other_tasks_are_shown_by_name():
    stream = io.StringIO()
    with ProgressBar("head", epochs=1, console=Console(file=stream, width=60)) as bar:
        bar.on_epoch_end(0, {"loss": 0.5, "val_loss": 0.25, "val_mean_absolute_error": 12.5})
    assert stream.getvalue() == (
        "head   epoch 1/1  loss 0.500  validation loss 0.250  validation mean absolute error 12.500\n"
    )


def test_on_a_terminal_a_bar():
    text = shown(terminal=True)
    assert "━" in text
    assert "epoch 2/2" in text


def test_an_interruption_gives_the_cursor_back():
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True)

    def work():
        with ProgressBar("head", epochs=2, console=console):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    hide, show = "\x1b[?25l", "\x1b[?25h"
    assert stream.getvalue().count(hide) == stream.getvalue().count(show) == 1
