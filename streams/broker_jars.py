"""Kafka's jars: which they are, where they lie, and the proof that they are the ones we mean."""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

if TYPE_CHECKING:
    from jgo.maven import MavenContext

__all__ = ["LOCK", "Jar", "JarError", "fetch", "lock", "read_lock"]

LOCK = Path(__file__).with_name("broker_jars.txt")
"""The committed list: a coordinate, its SHA-256 and its size on each line."""

ROOTS = ("org.apache.kafka:kafka_2.13:4.1.1", "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3")
"""What the list is made from: the broker, and the bridge that lets it write its log."""

_HEADER = """\
# Kafka's jars: coordinate, SHA-256, bytes. Written by `python -m streams.broker --lock`; a jar that differs is refused.
"""


class JarError(RuntimeError):
    """A jar cannot be had or is not the one we mean; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of the list.

    Examples
    --------
    >>> jar = Jar.parse("org.lz4:lz4-java:1.8.0 d74a3334fb35195009b338a951f918203d6bbca3d1d359033dc33edd1c 682804")
    >>> jar.path.as_posix()
    'org/lz4/lz4-java/1.8.0/lz4-java-1.8.0.jar'
    >>> Jar.parse(str(jar)) == jar
    True

    """

    group: str
    artifact: str
    version: str
    sha256: str
    size: int

    @classmethod
    def parse(cls, line: str) -> "Jar":
        """Read one line of the list."""
        coordinate, sha256, size = line.split()
        group, artifact, version = coordinate.split(":")
        return cls(group, artifact, version, sha256, int(size))

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version} {self.sha256} {self.size}"

    @property
    def path(self) -> Path:
        """Where it lies inside a Maven repository."""
        folder = Path(*self.group.split("."), self.artifact, self.version)
        return folder / f"{self.artifact}-{self.version}.jar"


def read_lock(path: Path = LOCK) -> list[Jar]:
    """Read the committed list."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Jar.parse(line) for line in lines if line and not line.startswith("#")]


def fetch(jars: Sequence[Jar], store: Path | None = None, console: Console | None = None) -> list[Path]:
    """Give the verified files of these jars, fetching those that are not there yet.

    Parameters
    ----------
    jars
        What the class path needs, normally the whole committed list.
    store
        The Maven repository on this disk; jgo's own setting (usually `~/.m2/repository`) unless given.
    console
        Where progress is shown while something is fetched.

    Raises
    ------
    JarError
        A jar differs from its SHA-256, or could not be fetched.

    """
    # Imported here as below: only a local broker needs it, and a worker's restart is to take no longer for it.
    from jgo.config import GlobalSettings

    store = store or GlobalSettings.load().repo_cache
    missing = [jar for jar in jars if not (store / jar.path).exists()]
    if missing:
        _download(missing, store, console or Console(stderr=True))
    for jar in jars:
        _verify(jar, store / jar.path)
    return [store / jar.path for jar in jars]


def lock(path: Path = LOCK, roots: Iterable[str] = ROOTS) -> list[Jar]:
    """Resolve the roots anew and write the list; the difference is for a person to review."""
    import jgo

    found: dict[tuple[str, str], Jar] = {}
    for root in roots:
        for artifact in jgo.resolve(root):
            key = (artifact.groupId, artifact.artifactId)
            if key not in found:
                content = artifact.resolve().read_bytes()
                sha256 = hashlib.sha256(content).hexdigest()
                found[key] = Jar(*key, artifact.version, sha256, len(content))
    jars = [found[key] for key in sorted(found)]
    path.write_text(_HEADER + "".join(f"{jar}\n" for jar in jars), encoding="utf-8")
    return jars


def _verify(jar: Jar, path: Path) -> None:
    if hashlib.sha256(path.read_bytes()).hexdigest() != jar.sha256:
        raise JarError(
            f"{path} is not the jar that Kairos was tested with (its SHA-256 differs from {LOCK.name}); "
            "Kafka is not started. Delete the file to have it fetched again."
        )


def _download(jars: Sequence[Jar], store: Path, console: Console) -> None:
    """Fetch the jars, four at a time, showing how far we are."""
    store.mkdir(parents=True, exist_ok=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console) as progress, tempfile.TemporaryDirectory(dir=store) as staging:
        bar = progress.add_task(f"Fetching Kafka, {len(jars)} jars", total=sum(jar.size for jar in jars))
        context = _context(Path(staging), lambda size: progress.advance(bar, size))
        pool = ThreadPoolExecutor(4)
        try:
            list(pool.map(lambda jar: _download_one(jar, store, context), jars))
        finally:
            # Without a network each further attempt would wait for its own timeout.
            pool.shutdown(cancel_futures=True)


def _context(staging: Path, advance: Callable[[int], None]) -> "MavenContext":
    """Give the repositories of jgo's settings (a bank's mirror), or else the public one."""
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext, PythonResolver

    @contextmanager
    def progress(_name: str, _size: int) -> Iterator[Callable[[int], None]]:
        yield advance

    repositories = GlobalSettings.load().repositories or None
    resolver = PythonResolver(progress_callback=progress)
    return MavenContext(resolver=resolver, repo_cache=staging, remote_repos=repositories)


def _download_one(jar: Jar, store: Path, context: "MavenContext") -> None:
    """Fetch beside the store, verify, then move: a half-fetched jar is never seen by anybody."""
    try:
        staged = context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
    # jgo raises RuntimeError where no repository has the jar; no network is an OSError.
    except (OSError, RuntimeError) as error:
        raise JarError(
            f"Kafka's jar {jar.artifact} {jar.version} could not be fetched: is there a network? Without one, "
            "set KAIROS_KAFKA_HOME to the folder of an unpacked Kafka 4, or use an existing cluster."
        ) from error
    _verify(jar, staged)
    (store / jar.path).parent.mkdir(parents=True, exist_ok=True)
    staged.replace(store / jar.path)
