"""native_chatter_hidden: what Python writes gets through, what C++ writes does not."""

import subprocess
import sys

CODE = """
import os, sys
from tfxfer.runtime import native_chatter_hidden
os.write(2, b"before ")
with native_chatter_hidden():
    os.write(2, b"hidden ")
    print("said", end=" ", file=sys.stderr)
os.write(2, b"after")
"""


def test_only_native_writes_are_hidden():
    run = subprocess.run([sys.executable, "-c", CODE], check=True, capture_output=True, text=True)
    assert run.stderr == "before said after"


def test_the_stream_is_put_back_after_an_error():
    code = CODE.replace('print("said"', "1 / 0; print('said'")
    run = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert "ZeroDivisionError" in run.stderr
    assert "hidden" not in run.stderr
