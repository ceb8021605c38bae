"""Laws of the customers' stage: how chance cuts the records into batches does not matter where order is clear.

Records that come in the order in which they happened, worked on at the same moment, give the same state and the same
decisions however they are cut. Records that come late do not: a batch puts in order what it holds, and no more.
"""

from hypothesis import given
from hypothesis import strategies as st

from kairos.instants import SECOND
from kairos.ports import Record
from tests.customer_table import NOON, Said, Table


def records() -> st.SearchStrategy[list[tuple[str, str]]]:
    what = st.sampled_from(["dining", "fuel", "maps", "profile", "opted_out", "again"])
    return st.lists(st.tuples(what, st.sampled_from(["c1", "c2"])), max_size=12)


def made(table: Table, story: list[tuple[str, str]]) -> list[Record]:
    """Write the story down, one second after another, so that it is told in the order in which it happened."""
    found: list[Record] = []
    for place, (what, key) in enumerate(story):
        ago = (len(story) - place) * SECOND
        match what:
            case "profile":
                found.append(table.profile(key, ago=ago))
            case "opted_out":
                found.append(
                    table.event("kairos.feedback.v1", "feedback", key, {"what": what, "channel": "sms"}, ago=ago)
                )
            case "maps":
                found.append(table.uses(key, ago=ago))
            case "again":
                found += found[-1:]
            case category:
                found.append(table.pays(key, category, ago=ago))
    return found


@given(records(), st.data())
def test_however_the_records_are_cut_into_batches_the_same_moment_makes_the_same_state_and_decisions(
    story: list[tuple[str, str]], data: st.DataObject
) -> None:
    whole, cut = Table(), Table()
    written = made(Table(), story)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(written)), max_size=4)))

    said = whole.hear(*written)
    parts = [cut.hear(*written[a:b]) for a, b in zip([0, *cuts], [*cuts, len(written)], strict=True)]

    assert cut.state() == whole.state()
    again = Said([output for part in parts for output in part.outputs])
    assert again.decisions == said.decisions
    assert again.commands == said.commands
    assert whole.now == NOON


@given(st.lists(st.sampled_from(["profile", "tombstone"]), max_size=8), st.data())
def test_whether_a_customer_is_forgotten_does_not_depend_on_batches(story: list[str], data: st.DataObject) -> None:
    whole, cut = Table(), Table()
    ago = range(len(story) * SECOND, 0, -SECOND)
    written = [
        whole.profile(ago=a) if what == "profile" else whole.tombstone() for what, a in zip(story, ago, strict=True)
    ]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(written)), max_size=4)))

    whole.hear(*written)
    for a, b in zip([0, *cuts], [*cuts, len(written)], strict=True):
        cut.hear(*written[a:b])

    assert cut.state() == whole.state()
    assert (whole.store.get(b"c1", "p") is not None) == (story[-1:] == ["profile"])
