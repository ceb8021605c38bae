"""The containers: valid after the Compose Specification, closed to the outside, and made of commands that exist."""

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from console.health import GROUPS, SANDBOX_PORTS
from streams.settings import Settings
from tests.command_words import unknown_word

ROOT = Path(__file__).parent.parent
FILE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
LONG_RUNNING = [name for name, service in SERVICES.items() if service["restart"] != "no"]


def commands() -> list[list[str]]:
    """Every `kairos ...` that the file runs."""
    found: list[list[str]] = []
    for service in OURS.values():
        if "entrypoint" not in service:
            found.append(service["command"])
            continue
        lines = service["command"][0].replace("\\\n", " ").splitlines()
        found += [shlex.split(line)[1:] for line in lines if line.startswith("kairos ")]
    return found


def test_the_file_is_valid_after_the_compose_specification() -> None:
    specification = json.loads((ROOT / "tests/data/compose-spec.json").read_bytes())

    found = [f"{list(e.path)}: {e.message}" for e in jsonschema.Draft202012Validator(specification).iter_errors(FILE)]

    assert found == []


def test_the_check_would_notice_a_mistake() -> None:
    specification = json.loads((ROOT / "tests/data/compose-spec.json").read_bytes())
    mistaken = {"services": {"kafka": {"image": "k", "depend_on": ["init"]}}}

    assert not jsonschema.Draft202012Validator(specification).is_valid(mistaken)


def test_there_is_a_broker_an_init_the_engine_both_channels_and_a_sandbox() -> None:
    assert set(SERVICES) == {"kafka", "init", "worker", "deliver-push", "deliver-sms", "sandbox"}
    assert set(SERVICES) - set(LONG_RUNNING) == {"init"}


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_what_runs_long_is_asked_how_it_is(name: str) -> None:
    check = SERVICES[name]["healthcheck"]

    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries", "start_period"} <= set(check)
    if name in OURS:
        assert check["test"][1:] == ["python", "-m", "console.health", name]
        assert name in {*GROUPS, "sandbox"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_published_port_is_on_the_loopback(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_has_a_pinned_tag(name: str) -> None:
    image, _, tag = SERVICES[name]["image"].rpartition(":")

    assert image
    assert re.fullmatch(r"\d+\.\d+\.\d+", tag)


def test_our_image_has_our_version_and_rests_on_a_pinned_one() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")

    assert {service["image"] for service in OURS.values()} == {f"kairos:{PROJECT['project']['version']}"}
    assert re.search(r"^ARG PYTHON=python:\d+\.\d+\.\d+-slim-\w+$", dockerfile, re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) == {"${PYTHON}"}
    assert re.findall(r"^USER (\S+)", dockerfile, re.MULTILINE) == ["10001:10001"]


def test_every_package_gets_into_the_image() -> None:
    let_in = {line[1:].strip("/") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"}

    assert {*PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"], "requirements", "examples"} <= let_in


def test_it_is_the_kafka_that_the_local_broker_runs() -> None:
    jars = (ROOT / "streams/broker_jars.txt").read_text(encoding="utf-8")

    version = SERVICES["kafka"]["image"].rpartition(":")[2]
    assert f"org.apache.kafka:kafka_2.13:{version} " in jars


def test_no_topic_is_made_by_being_mentioned() -> None:
    assert SERVICES["kafka"]["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


@pytest.mark.parametrize("name", SERVICES)
def test_everybody_waits_for_what_it_needs(name: str) -> None:
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        ends = needed not in LONG_RUNNING
        assert how["condition"] == ("service_completed_successfully" if ends else "service_healthy")
    if name in LONG_RUNNING and name in OURS:
        assert "init" in SERVICES[name]["depends_on"]


@pytest.mark.parametrize("name", SERVICES)
def test_nobody_has_more_rights_than_needed(name: str) -> None:
    service = SERVICES[name]

    assert not {"privileged", "cap_add", "devices", "pid", "ipc", "userns_mode"} & set(service)
    assert service.get("network_mode") in (None, "service:sandbox")
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not [volume for volume in service.get("volumes", []) if volume.startswith(("/", ".", "~"))]
    if name in OURS:
        assert service["read_only"] is True
        assert service["user"] == "10001:10001"


def test_secrets_are_files_and_settings_know_them() -> None:
    known = {f"kairos_{name}" for name in Settings.model_fields}

    for name, secret in FILE["secrets"].items():
        assert name in known
        assert secret == {"file": f"var/secrets/{name}"}
    for service in OURS.values():
        assert not [name for name in service["environment"] if "SECRET" in name or "PASSWORD" in name]
        assert {name.lower() for name in service["environment"]} <= known


def test_the_sandbox_listens_where_delivery_sends() -> None:
    fields = Settings.model_fields

    for name, port in zip(("sms_url", "push_url"), SANDBOX_PORTS, strict=True):
        assert str(fields[name].default).startswith(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_exists(words: list[str]) -> None:
    assert unknown_word(words) is None


@pytest.mark.parametrize("word", ["rulez publish x", "rules publish x --pollicy y", "deliver push --now", "worker x"])
def test_the_check_would_notice_an_unknown_command(word: str) -> None:
    assert unknown_word(word.split()) is not None


def test_every_file_that_is_named_exists() -> None:
    named = [word for words in commands() for word in words if "/" in word]

    assert len(named) == 4
    for name in named:
        assert (ROOT / name).exists()
