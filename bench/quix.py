"""The environment of Quix Streams: made once, from the hashed list beside this file; Kairos is not in it."""

import subprocess
import sys
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

from bench.children import Failed

__all__ = ["python_of_quix"]

_HERE = Path(__file__).parent
_LIST = _HERE / "requirements-quix.txt"
_HOME = _HERE / ".venv-quix"


def python_of_quix(say: Callable[[str], None]) -> Path:
    """Give the interpreter of the environment, which is made anew when the list has changed.

    Raises
    ------
    Failed
        It cannot be made; the other engines do not need it.

    """
    python, made = _HOME / "bin" / "python", _HOME / "made-from"
    list_hash = blake2b(_LIST.read_bytes()).hexdigest()
    if made.exists() and made.read_text() == list_hash:
        return python
    say(f"Installing Quix Streams into {_HOME.relative_to(_HERE.parent)} (hashed, pinned) ...")
    install = ["install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(_LIST)]
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(_HOME)], check=True)
        (_HOME / ".gitignore").write_text("*\n")
        subprocess.run([str(python), "-m", "pip", *install], check=True)
    except subprocess.CalledProcessError as error:
        raise Failed(f"{error}\nLeave it out with --only getmany,faust,stage,kairos10,kairos1000") from None
    made.write_text(list_hash)
    return python
