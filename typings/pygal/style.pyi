from collections.abc import Sequence

class Style:
    def __init__(self, *, colors: Sequence[str] = ..., **settings: object) -> None: ...
