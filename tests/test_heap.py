"""The worker's heap: a large piece that nobody uses leaves the process, however often its like came and went before."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import ctypes
import sys
from streams.heap import keep_whole

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

if sys.argv[1] == "told":
    assert keep_whole()
# What a fetch answered comes and goes.
libc.free(libc.malloc(4 << 20))
pieces = [libc.malloc(4 << 20) for _ in range(32)]
for piece in pieces:
    ctypes.memset(piece, 1, 4 << 20)
before = resident()
for piece in pieces[::2]:
    libc.free(piece)
print(before - resident() > 50_000_000)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="no other C library is told anything")
@pytest.mark.parametrize(("word", "leaves"), [("told", True), ("left alone", False)])
def test_a_large_piece_leaves_a_process_that_told_glibc_and_no_other(word: str, *, leaves: bool) -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM, word], capture_output=True, text=True, check=True)

    assert ended.stdout == f"{leaves}\n"
