"""The application: Faust's worker with the catalogue, the stages and the door in it."""

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import faust
from faust.types.auth import CredentialsT
from mode import Service

from streams import clock, journal, state_guard
from streams.card_feed import TOPIC, map_line
from streams.catalogue import Catalogue
from streams.door import add_door
from streams.health import Health
from streams.heap import keep_whole
from streams.interpreter import leave_alone
from streams.settings import Settings
from streams.skips import Skip
from streams.spec import Running, StageSpec
from streams.stage import Stage
from streams.stages import STAGES
from streams.store import Meta
from streams.topics import FOREIGN, TOPICS
from streams.topics_declare import verify
from streams.versions import CODES_KEY, Versions

__all__ = ["application", "refuse", "run_worker"]


def application(settings: Settings) -> faust.App:
    """Make the Faust application: no tables, no web server, no topics of its own making."""
    seconds = settings.session_ms / 1000
    return faust.App(
        "kairos",
        broker=[f"kafka://{server}" for server in settings.cluster.servers],
        broker_credentials=_credentials(settings),
        broker_session_timeout=seconds,
        broker_rebalance_timeout=seconds,
        broker_heartbeat_interval=max(0.3, seconds / 6),
        store="memory://",
        datadir=str(settings.data / "faust"),
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        # Faust's server listens on all interfaces unless it is off, and its command line turns it on again.
        web_enabled=False,
        web_bind="127.0.0.1",
        worker_redirect_stdouts=False,
    )


def run_worker(
    settings: Settings,
    stages: Sequence[str],
    *,
    door: bool,
    listening: Callable[[int], None] | None = None,
    name: str | None = None,
    skips: Sequence[Skip] = (),
) -> None:
    """Run a worker until it is told to stop; SIGTERM and Ctrl-C let every batch under way be committed.

    Parameters
    ----------
    settings
        Where Kafka is, and how to run.
    stages
        Which of the stages run in this process.
    door
        Whether the bank's card feed is mapped here.
    listening
        Is told the port where `/live` and `/ready` are answered.
    name
        What Kafka's logs call this worker.
    skips
        Records that may be passed by where a step raises on them.

    Raises
    ------
    TopicError
        Kafka does not answer, or its topics are not as declared.

    """
    keep_whole()
    refuse(settings, door=door)
    app = application(settings)
    # Without an agent Faust's own consumer would subscribe to nothing, which ends the worker; so it gets none.
    app.producer_only = not door
    if door:
        add_door(app, settings, TOPIC, map_line)
    worker = _Worker(
        app,
        *_services(settings, stages, listening, replace(settings.running(), skips=tuple(skips)), name),
        loglevel=settings.log_level.upper(),
        override_logging=False,
        quiet=True,
        redirect_stdouts=False,
    )
    worker.execute_from_commandline()


def refuse(settings: Settings, *, door: bool) -> None:
    """Refuse to start where Kafka or the state is not as it must be, or the port is taken.

    Raises
    ------
    TopicError
        Kafka does not answer, or its topics are not as declared.
    StateRefused
        The state is of a newer release, or was made over another number of partitions.
    OSError
        The port is taken, or nothing can be written to the folder of the state.

    """
    _refuse_taken_port(settings)
    _refuse_useless_folder(settings.data)
    verify(settings.cluster, settings.partitions, (*TOPICS, *FOREIGN) if door else TOPICS)
    asyncio.run(_refuse_states(settings))


class _Worker(faust.Worker):
    async def _sentinel_task(self) -> None:
        # All is over. Faust's would sleep for a second more, and Python would look through all that it knows before it
        # ends: the partitions of a worker that is started again would rest for as long.
        leave_alone()


async def _refuse_states(settings: Settings) -> None:
    client, specs = settings.cluster.for_aiokafka(), list(STAGES.values())
    # At once: nothing of this worker's goes on before it, and its partitions rest.
    for spec, found in zip(specs, await _recorded(client, specs), strict=True):
        group = next(topic.group for topic in TOPICS if topic.name == spec.changelog)
        for number, meta in found.items():
            count = settings.partitions.of(group)
            state_guard.refuse(f"{spec.name}/{number}", meta, spec.layout, journal.BUILD, count)


async def _recorded(client: Mapping[str, object], specs: Sequence[StageSpec[Any]]) -> list[dict[int, Meta]]:
    return await asyncio.gather(*[state_guard.recorded(client, spec.changelog) for spec in specs])


def _refuse_useless_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder) as file:
            file.write(b"kairos")
    except OSError as error:
        raise OSError(f"nothing can be written to {folder} ({error.strerror}); set KAIROS_DATA") from error


def _refuse_taken_port(settings: Settings) -> None:
    if settings.health_port is None:
        return
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((settings.health_host, settings.health_port))
        except OSError as error:
            raise OSError(
                f"nothing can listen on {settings.health_host}:{settings.health_port} ({error.strerror}); "
                "set KAIROS_HEALTH_HOST and KAIROS_HEALTH_PORT"
            ) from error


def _services(
    settings: Settings,
    stages: Sequence[str],
    listening: Callable[[int], None] | None,
    running: Running,
    name: str | None,
) -> list[Service]:
    if name is not None:
        running = replace(running, client={**running.client, "client_id": name})
    catalogue = Catalogue(running.client, running.data)
    kept = [
        Stage(STAGES[name], running, _in_force(name, settings, catalogue), catalogue.opened, clock.now)
        for name in stages
    ]
    if settings.health_port is None:
        return [catalogue, *kept]
    health = Health(settings.health_host, settings.health_port, catalogue, kept, listening)
    return [health, catalogue, *kept]


def _in_force(stage: str, settings: Settings, catalogue: Catalogue) -> Callable[[], Versions]:
    """Give what a stage knows; the key for codes is the ledger's alone."""
    keys = settings.codes_keys
    if stage != "ledger" or not keys:
        return catalogue.versions
    return lambda: catalogue.versions().having(CODES_KEY, keys[0])


def _credentials(settings: Settings) -> CredentialsT | None:
    cluster = settings.cluster
    if cluster.has_sasl and cluster.sasl_password:
        return faust.SASLCredentials(
            username=cluster.sasl_username,
            password=cluster.sasl_password.get_secret_value(),
            mechanism=cluster.sasl_mechanism,
            ssl_context=cluster.ssl_context(),
        )
    return faust.SSLCredentials(context=cluster.ssl_context()) if cluster.has_tls else None
