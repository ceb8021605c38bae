"""Quix Streams, exactly-once: one count a customer. Runs in its own environment, without Kairos."""

import os

from quixstreams import Application

from bench.child import Meter, arguments

asked, meter = arguments(), Meter()


class Measured(Application):
    def _run_dataframe(self, sink=None):
        super()._run_dataframe(sink)
        # The last commit is done; leaving the group and closing the state is nobody's work on events.
        meter.end(asked.events)
        os._exit(0)


app = Measured(
    broker_address=asked.bootstrap,
    consumer_group=asked.name,
    auto_offset_reset="earliest",
    state_dir=str(asked.folder),
    processing_guarantee="exactly-once",
    use_changelog_topics=True,
    loglevel="ERROR",
)


def count(value, state):
    meter.begin()
    state.set("n", state.get("n", 0) + 1)


app.dataframe(app.topic(asked.topic, key_deserializer="bytes", value_deserializer="bytes")).update(count, stateful=True)
app.run(count=asked.events, collect=False)
