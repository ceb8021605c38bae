"""Logs: no key, no value and nothing that an exception says gets into a line, at any level and in either form."""

import ast
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Literal

import pytest
import structlog

from streams.logs import FIELDS, configure

ROOT = Path(__file__).parent.parent
SECRETS = ("C000031", "138 0013 8000", "Zhang San")


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_whatever_a_line_is_given_nothing_of_a_customer_is_in_it(
    form: Literal["json", "text"],
    level: Literal["debug", "info", "warning", "error"],
    capsys: pytest.CaptureFixture[str],
) -> None:
    customer, phone, name = SECRETS
    configure("debug", form)
    log, nobody = structlog.get_logger("any"), dict[str, int]()

    try:
        nobody[f"{name} {phone}"]
    except KeyError as error:
        line = {"stage": "customers", "key": customer, "value": {"phone": phone}, "why": name.encode()}
        for raised in (True, error, sys.exc_info()):
            log.log(_NUMBERS[level], "step failed", **line, exc_info=raised)
    said = capsys.readouterr().err

    assert said.count("step failed") == 3
    assert said.count("KeyError") == 3
    assert said.count("test_logs.py:") == 3
    assert "customers" in said
    for secret in SECRETS:
        assert secret not in said


def test_a_line_in_json_is_one_object_with_its_time_and_level(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info", "json")

    structlog.get_logger("any").debug("unheard")
    structlog.get_logger("any").info("partition open", stage="ledger", partition=1, why="x" * 900)

    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert {name: told[name] for name in ("event", "level", "stage", "partition")} == {
        "event": "partition open",
        "level": "info",
        "stage": "ledger",
        "partition": 1,
    }
    assert told["timestamp"].endswith("Z")
    assert len(told["why"]) == 500


def test_a_line_that_nobody_takes_stops_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with suppress(OSError), os.fdopen(writing, "w") as pipe:
        monkeypatch.setattr(sys, "stderr", pipe)
        configure()

        structlog.get_logger("any").warning("partition fenced", stage="ledger")

    structlog.get_logger("any").warning("partition fenced", stage="ledger")


def test_every_field_that_our_code_logs_is_known_and_says_what_it_is() -> None:
    used = {
        keyword.arg
        for folder in ("streams", "console", "connectors")
        for path in (ROOT / folder).glob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func).startswith("log.")
        for keyword in call.keywords
        if keyword.arg is not None
    }

    assert len(used) > 20
    assert used <= FIELDS
    assert not FIELDS & {"key", "value", "customer", "phone", "text", "headers", "data", "record", "payload"}


_NUMBERS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
