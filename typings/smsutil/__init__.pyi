class Part:
    content: str
    bytes: int
    length: int

class SplitResult:
    encoding: str
    parts: list[Part]
    total_bytes: int
    total_length: int

def split(text: str) -> SplitResult: ...
