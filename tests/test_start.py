"""A worker's end and start: while it is started again its partitions rest, so neither may take longer than it must."""

import subprocess
import sys

import mode

from tests.fault_driver import ROOT

OTHERS = ("console.backtesting", "console.backtest_page", "console.demo", "jgo", "pygal", "requests")
"""What only other commands need; it took a third of a second of every start."""


def test_a_worker_reads_no_code_that_only_other_commands_need() -> None:
    asked = f"import sys, console.cli; print([name for name in {OTHERS} if name in sys.modules])"

    found = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)

    assert found.stdout == "[]\n"


def test_the_second_that_we_do_not_sleep_at_the_end_is_where_we_took_it_out() -> None:
    # `streams.app` puts something else into its place; under another name it would be slept again.
    assert "_sentinel_task" in vars(mode.Worker)
