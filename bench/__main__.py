"""`python -m bench`: one table, medians over interleaved runs, on a Kafka of its own."""

import argparse
import signal
import sys

from bench.backtest_run import main as backtest
from bench.capacity import main as capacity
from bench.children import Failed
from bench.decisions import main as decision
from bench.engines import ENGINES
from bench.estimate_run import main as estimate
from bench.explain import main as explain
from bench.flame import main as flame
from bench.handover_run import main as handover
from bench.latency import main as latency
from bench.ledger_run import main as ledger
from bench.memory_run import main as memory
from bench.restore_run import main as restore
from bench.rules_run import main as rules
from bench.run import Plan, run
from bench.swap_run import main as swap
from bench.workload import WORKLOADS


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--events", type=int, default=120_000, help="records a run (default: %(default)s)")
    parser.add_argument("--slow", type=int, default=20_000, help="records a run of slow peers (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each engine (default: %(default)s)")
    parser.add_argument("--only", default=",".join(ENGINES), help="engines, parted by commas (default: %(default)s)")
    parser.add_argument("--keys", default=",".join(WORKLOADS), help="workloads (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="one short run of each: does it work at all")
    asked = parser.parse_args()
    if asked.quick:
        asked.events, asked.slow, asked.runs = 20_000, 5_000, 1
    plan = Plan(
        events=asked.events,
        slow=min(asked.slow, asked.events),
        runs=asked.runs,
        engines=_chosen(parser, asked.only, ENGINES),
        workloads=_chosen(parser, asked.keys, WORKLOADS),
    )
    # A terminated benchmark ends its children as an interrupted one does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run(plan)
    except KeyboardInterrupt:
        print("\nstopped; every child has ended", file=sys.stderr)
        return 130
    except Failed as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


def _chosen(parser: argparse.ArgumentParser, asked: str, known: object) -> list[str]:
    names = asked.split(",")
    wrong = [name for name in names if name not in known]
    if wrong:
        parser.error(f"unknown: {', '.join(wrong)}; there are {', '.join(known)}")
    return names


if __name__ == "__main__":
    others = {
        "rules": rules,
        "backtest": backtest,
        "restore": restore,
        "latency": latency,
        "swap": swap,
        "decision": decision,
        "estimate": estimate,
        "explain": explain,
        "handover": handover,
        "ledger": ledger,
        "memory": memory,
        "capacity": capacity,
        "flame": flame,
    }
    other = others.get(sys.argv[1]) if len(sys.argv) > 1 else None
    sys.exit(other(sys.argv[2:]) if other else main())
