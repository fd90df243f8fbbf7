"""What `tl.device_print` writes, in a process of its own: C's standard output is not Python's."""

import subprocess
import sys

PROGRAM = """
import torch, triton, triton.language as tl

@triton.jit
def show(x, BLOCK: tl.constexpr):
    rows = tl.arange(0, 2)[:, None]
    columns = tl.arange(0, BLOCK)[None, :]
    tl.device_print("value", tl.load(x + rows * BLOCK + columns))
    tl.device_print("both", tl.program_id(1), 0.5)
    tl.device_print("bits", tl.program_id(1) + 255, hex=True)
    tl.device_print("only text")

if __name__ == "__main__":
    show[(1, 2)](torch.arange(32, dtype=torch.int16) - 20, BLOCK=16)
"""


def test_printed_lines(tmp_path):
    """The program, the position as wide as the last one of its dimension, the name, the value."""
    script = tmp_path / "show.py"
    script.write_text(PROGRAM)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    want = []
    for program in range(2):
        where = f"pid (0, {program}, 0)"
        want += [
            f"{where} idx ({row}, {column:2}) value: {row * 16 + column - 20}"
            for row in range(2)
            for column in range(16)
        ]
        want += [
            f"{where} idx () both: (operand 0) {program}",
            f"{where} idx () both: (operand 1) 0.500000",
            f"{where} idx () bits: 0x{255 + program:08x}",
            f"{where} only text",
        ]
    assert sorted(done.stdout.splitlines()) == sorted(want)
