"""Environments of peers: made once, from the hashed lists beside this file; Kairos is not in them."""

import subprocess
import sys
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

from bench.children import Failed

__all__ = ["environment", "python_of_quix"]

_HERE = Path(__file__).parent


def python_of_quix(say: Callable[[str], None]) -> Path:
    """Give the interpreter of Quix Streams.

    Raises
    ------
    Failed
        It cannot be made; the other engines do not need it.

    """
    return environment("quix", "Quix Streams", say)


def environment(name: str, title: str, say: Callable[[str], None]) -> Path:
    """Give the interpreter of an environment, which is made anew when its list has changed.

    Raises
    ------
    Failed
        It cannot be made.

    """
    listed, home = _HERE / f"requirements-{name}.txt", _HERE / f".venv-{name}"
    python, made = home / "bin" / "python", home / "made-from"
    list_hash = blake2b(listed.read_bytes()).hexdigest()
    if made.exists() and made.read_text() == list_hash:
        return python
    say(f"Installing {title} into {home.relative_to(_HERE.parent)} (hashed, pinned) ...")
    install = ["install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(listed)]
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        (home / ".gitignore").write_text("*\n")
        subprocess.run([str(python), "-m", "pip", *install], check=True)
    except subprocess.CalledProcessError as error:
        raise Failed(f"{error}\nLeave it out with --only") from None
    made.write_text(list_hash)
    return python
