"""Lives: customers as a book sees them while a recorded log goes by, one after the other and without gates."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from kairos.customer import Customer, Standing
from kairos.events import Event, Feedback, Profile
from kairos.instants import Millis
from rules.book import Book
from rules.judged import Seen

__all__ = ["Forgotten", "Happening", "lived"]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The bank asked to forget a customer; who comes back is somebody new."""

    customer: str


Happening = Event | Forgotten
"""What a log tells."""


def lived(book: Book, happenings: Iterable[Happening]) -> Iterator[Seen]:
    """Give each event that rules may look at, with what the book remembers of the customer and what the bank knows.

    Parameters
    ----------
    book
        Whose features are remembered.
    happenings
        In the order in which they arrived; feedback is passed over.

    """
    customers: dict[str, Customer] = {}
    profiles: dict[str, tuple[Millis, Standing]] = {}
    nobody = (0, Standing(Profile()))
    for happening in happenings:
        if isinstance(happening, Forgotten):
            customers.pop(happening.customer, None)
            profiles.pop(happening.customer, None)
        elif isinstance(happening.data, Profile):
            # The newest word of the bank wins, not the last to arrive.
            if happening.at >= profiles.get(happening.customer, nobody)[0]:
                profiles[happening.customer] = happening.at, Standing(happening.data)
        elif not isinstance(happening.data, Feedback):
            customer = customers.setdefault(happening.customer, Customer())
            standing = profiles.get(happening.customer, nobody)[1]
            book.observe(happening, customer)
            yield Seen(happening, customer, partial(_same, standing))


def _same(standing: Standing) -> Standing:
    return standing
