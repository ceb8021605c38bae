"""The heap: how the C library keeps what RocksDB, Kafka's client and Python give back."""

import ctypes

__all__ = ["keep_whole"]

# As glibc's malloc.h names them.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_LARGE = 2 << 20
"""From so many bytes on, a piece is a mapping of its own and leaves the process when it is free: what Kafka answers."""
_SLACK = 16 << 20
"""What may lie free at the end of the heap, or each batch would ask the system for it anew."""
_ARENAS = 2
"""The loop's thread has one heap; all others share the second, which were up to eight for each core."""


def keep_whole() -> bool:
    """Let large pieces leave when they are free, and small ones lie together; gives whether glibc was there to be told.

    Left alone, glibc takes the first large piece that is given back for a sign that such pieces are short-lived, and
    cuts all later ones, up to 32 MB, out of its heaps; and each thread has a heap of its own, whose free pieces are of
    no use to another. After three million events a quarter of a worker's memory lay free in between.

    It is for a process that begins: what has a heap of its own already keeps it.
    """
    told = getattr(ctypes.CDLL(None), "mallopt", None)
    if told is None:
        return False
    wanted = ((_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _SLACK), (_ARENA_MAX, _ARENAS))
    return [told(name, value) for name, value in wanted] == [1] * len(wanted)
