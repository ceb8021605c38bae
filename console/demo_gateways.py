"""The demo's gateways: where they listen, what they sign with, and what they say in the end."""

import base64
import json
import secrets
import socket
import urllib.request
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

__all__ = ["accepted_twice", "answers", "free_ports", "new_secret", "seen_by_gateways"]


def seen_by_gateways(ports: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Ask the sandbox what each of its gateways saw."""
    with urllib.request.urlopen(f"http://127.0.0.1:{ports['sms']}/sandbox/stats", timeout=10) as answer:
        found: dict[str, dict[str, int]] = json.load(answer)
    return found


def accepted_twice(path: Path) -> int:
    """Count the offers that stand twice in what the gateways wrote down."""
    if not path.exists():
        return 0
    with path.open(encoding="utf-8") as lines:
        accepted: list[Any] = [json.loads(line)["id"] for line in lines]
    return len(accepted) - len(set(accepted))


def free_ports(channels: Iterable[str]) -> dict[str, int]:
    """Find a free port for the gateway of each channel."""
    with ExitStack() as stack:
        held = {name: stack.enter_context(socket.create_server(("127.0.0.1", 0))) for name in channels}
        return {name: server.getsockname()[1] for name, server in held.items()}


def answers(port: int) -> bool:
    """Whether somebody listens."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def new_secret() -> str:
    """Make a secret for the signatures of one run."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
