"""The ledger's door: a command is read whole and by the right owner, or it is one dead letter."""

from collections.abc import Callable

from pydantic import ValidationError

from kairos.ports import Record
from kairos.reservations import Order, command
from kairos.wire import BadRecord, problems
from streams.topics import partition_of

__all__ = ["read_command"]

# Pydantic's own validator, without the method around it.
_read: Callable[[bytes], Order] = command.validator.validate_json


def read_command(record: Record, partition: int, partitions: int) -> Order:
    """Read a command that this partition's ledger is to carry out.

    Raises
    ------
    BadRecord
        It is no command, its key is not its programme, or the key belongs to another partition: a programme whose
        commands came to two partitions would have two budgets.

    """
    if record.value is None:
        raise BadRecord("empty", "the record has no value")
    try:
        order = _read(record.value)
    except ValidationError as error:
        raise BadRecord("invalid", problems(error)) from None
    if record.key != order.programme.encode():
        raise BadRecord("wrong_key", "the key is not the command's programme")
    if partition_of(record.key, partitions) != partition:
        raise BadRecord("wrong_partition", "the partition is not the key's; write with Java's default partitioner")
    return order
