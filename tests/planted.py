"""`python -m tests.planted worker`: the program, with a mistake planted in the customers' step.

It raises on the event whose id is `poison`, with the customer's data in what it says, as mistakes do.
"""

from dataclasses import replace

from console.cli import main
from kairos.ports import Batch, Output, Store
from streams import customers
from streams.stages import STAGES
from streams.versions import Versions

SECRET = "13800138000"


def step(store: Store, batch: Batch[Versions]) -> list[Output]:
    for record in batch.records:
        if ("ce_id", b"poison") in record.headers:
            raise LookupError(f"{record.key!r} {SECRET} {record.value!r}")
    return customers.step(store, batch)


if __name__ == "__main__":
    STAGES["customers"] = replace(STAGES["customers"], step=step)
    main()
