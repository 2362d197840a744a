"""The bound sampler: types in, types out, what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

import topes
from topes import _core

X = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
ALL = 2**64 - 1
NONE = np.zeros(0, np.uint32)


def words(*columns):
    return np.array(columns, dtype=np.uint32)


@pytest.fixture
def everywhere():
    return _core.SampleSupport(2, words(0, 1), words(0), NONE)


def test_samples_are_counted_in_the_order_they_come(everywhere):
    packed, counts, first, counters = _core.SampleRows.from_doubles(X).sample(
        everywhere, (1, 2), 0, 1000, ALL, 2, "fastest", None
    )
    assert (packed.dtype, counts.dtype, first.dtype) == (np.uint8, np.int64, np.int64)
    assert packed.shape == (4, 1)
    assert {int(b) for b in packed[:, 0]} == {0b100, 0b101, 0b110, 0b111}
    assert int(counts.sum()) == 1000
    assert first[0] == 0
    assert (np.diff(first) > 0).all()
    assert counters["signs"] == 2000
    assert set(counters) == {"signs", "double_signs", "exact_signs", "redrawn"}
    assert not any(a.flags.writeable for a in (packed, counts, first))


def test_all_kinds_of_rows_and_both_kernels_agree(everywhere):
    table = np.arange(-40, 40, dtype=np.int64).reshape(40, 2)
    data = b"".join(int(x).to_bytes(9, "little", signed=True) for x in table.ravel())
    kinds = (
        _core.SampleRows.from_int64(table),
        _core.SampleRows.from_doubles(table.astype(np.float64)),
        _core.SampleRows.from_bytes(np.frombuffer(data, np.uint8).reshape(40, 2, 9)),
    )
    expected = kinds[0].sample(everywhere, (5, 6), 7, 500, ALL, 1, "fastest", None)
    for rows in kinds:
        for kernel in ("fastest", "avx2", "portable"):
            found = rows.sample(everywhere, (5, 6), 7, 500, ALL, 3, kernel, None)
            assert all(np.array_equal(a, b) for a, b in zip(found[:3], expected[:3], strict=True))
    assert expected[2][0] == 7


def test_rows_keep_their_array_alive(everywhere):
    rows = _core.SampleRows.from_doubles(np.random.default_rng(0).standard_normal((500, 2)))
    found = rows.sample(everywhere, (0, 0), 0, 100, ALL, 1, "fastest", None)
    again = _core.SampleRows.from_doubles(np.random.default_rng(0).standard_normal((500, 2)))
    assert np.array_equal(found[0], again.sample(everywhere, (0, 0), 0, 100, ALL, 1, "fastest", None)[0])


def test_directions_have_their_support():
    support = _core.SampleSupport(5, words(0, 1), words(0, 2), words(4))
    W = support.directions((3, 4), 10, 200)
    assert (W.dtype, W.shape, W.flags.writeable) == (np.float64, (200, 5), False)
    assert (W[:, 4] != 0).all()
    left = W[:, 0] != 0
    assert 0 < left.sum() < 200
    assert ((W[left][:, [1]] != 0).all(), (W[left][:, [2, 3]] == 0).all()) == (True, True)
    assert ((W[~left][:, [2, 3]] != 0).all(), (W[~left][:, [0, 1]] == 0).all()) == (True, True)
    assert np.array_equal(W[5:7], support.directions((3, 4), 15, 2))


def test_the_generator_is_numpys_philox():
    """Entries 0 to 3 come from the block of counter (0, sample, 0, 0); numpy counts up before it draws."""
    W = _core.SampleSupport(4, words(0, 1, 2, 3), words(0), NONE).directions((11, 12), 1, 1)[0]
    counter = np.array([2**64 - 1, 0, 0, 0], np.uint64)
    bits = np.random.Philox(key=np.array([11, 12], np.uint64), counter=counter).random_raw(4)
    u = (bits >> np.uint64(12)).astype(np.float64) * 2.0**-52 + 2.0**-53
    radius = np.sqrt(-2 * np.log(u[:2]))
    expected = np.column_stack([radius * np.cos(2 * np.pi * u[2:]), radius * np.sin(2 * np.pi * u[2:])]).ravel()
    np.testing.assert_allclose(W, expected, rtol=0, atol=1e-14)


def test_what_is_refused(everywhere):
    rows = _core.SampleRows.from_doubles(X)
    with pytest.raises(topes.CellLimitError):
        rows.sample(everywhere, (1, 2), 0, 1000, 3, 1, "fastest", None)
    with pytest.raises(topes.InputError, match="a support must lie within the columns"):
        _core.SampleSupport(2, words(0, 1), words(1), NONE)
    with pytest.raises(topes.InputError, match="a support needs a place"):
        _core.SampleSupport(2, words(0, 1), NONE, NONE)
    with pytest.raises(topes.InputError, match="a support must have the columns of the rows"):
        rows.sample(_core.SampleSupport(3, words(0), words(0), NONE), (1, 2), 0, 1, ALL, 1, "fastest", None)
    with pytest.raises(ValueError, match="two-dimensional"):
        _core.SampleRows.from_doubles(np.zeros(3))
    with pytest.raises(TypeError):
        _core.SampleRows.from_int64(X)
    with pytest.raises(ValueError, match="kernel must be"):
        rows.sample(everywhere, (1, 2), 0, 1, ALL, 1, "quick", None)
    with pytest.raises(ValueError, match="width"):
        _core.SampleRows.from_bytes(np.zeros((2, 2), np.uint8))


def test_an_exception_of_the_callback_stops_it(everywhere):
    class Stop(Exception):
        pass

    def stop(fraction, n_patterns):
        raise Stop

    with pytest.raises(Stop):
        _core.SampleRows.from_doubles(X).sample(everywhere, (1, 2), 0, 2**62, ALL, 2, "fastest", stop)


def test_bytes_of_a_pattern():
    assert _core.sample_bytes_per_pattern(64) < _core.sample_bytes_per_pattern(65) < 400
