"""The store in memory behaves as a sorted row of records, and composite keys keep everybody's apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.ports import Store
from streams.keys import compose, decompose
from streams.memory_store import MemoryStore

keys = st.binary(max_size=5)
kinds = st.sampled_from("apz")
names = st.tuples(keys, kinds, keys)


@given(names)
def test_a_composite_key_says_whose_record_it_is(name: tuple[bytes, str, bytes]) -> None:
    assert decompose(compose(*name)) == name


@given(names, names)
def test_two_records_never_share_a_composite_key(
    one: tuple[bytes, str, bytes], other: tuple[bytes, str, bytes]
) -> None:
    assert (compose(*one) == compose(*other)) == (one == other)


@given(st.lists(st.tuples(names, st.none() | st.binary(max_size=2), st.booleans())))
def test_the_store_is_a_sorted_row(
    writes: list[tuple[tuple[bytes, str, bytes], bytes | None, bool]],
) -> None:
    store, copy = MemoryStore(), dict[bytes, bytes | None]()
    plain: dict[tuple[bytes, str, bytes], bytes] = {}
    seam: Store = store
    for name, value, look in writes:
        if value is None:
            plain.pop(name, None)
            seam.delete(*name)
        else:
            plain[name] = value
            seam.put(*name, value)
        assert seam.get(*name) == value
        if look:
            key, kind, start = name
            expected = [(i, v) for (k, t, i), v in sorted(plain.items()) if (k, t) == (key, kind) and i >= start]
            assert list(seam.scan(key, kind, start)) == expected
            copy.update(store.changes())

    copy.update(store.changes())
    assert list(store.items()) == sorted((compose(*name), value) for name, value in plain.items())
    assert sorted((name, value) for name, value in copy.items() if value is not None) == list(store.items())
    assert store.changes() == []


def test_writing_while_scanning_is_refused() -> None:
    store = MemoryStore()
    store.put(b"k", "p", b"1", b"")
    store.put(b"k", "p", b"2", b"")
    found = store.scan(b"k", "p")
    next(found)

    store.put(b"k", "a", b"", b"")

    with pytest.raises(RuntimeError, match="while a scan ran"):
        next(found)


@pytest.mark.parametrize("kind", ["", "pp"])
def test_a_kind_is_one_character(kind: str) -> None:
    with pytest.raises(ValueError, match="one character"):
        compose(b"k", kind, b"")


@pytest.mark.parametrize("composite", [b"", b"\x00", b"\x00\x02ab"])
def test_what_is_no_composite_key_is_refused(composite: bytes) -> None:
    with pytest.raises(ValueError, match="no composite key"):
        decompose(composite)
