"""Which cells hold a point, or touch it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from checks import as_set, build, cell_set, exact_data, signs_at
from strategies import affine, central, points
from topes import reference

ANY = st.one_of(central(), affine())


@given(ANY, st.data())
def test_locate_is_that_of_the_twin(instance, data):
    w = data.draw(points(instance))
    assert as_set(build(instance).locate(w)) == reference.locate(w=w, **instance.twin)


@given(ANY)
def test_a_witness_is_located_in_its_cell(instance):
    A = build(instance)
    for batch in A.cells():
        for s, w in zip(batch.sign_vectors.tolist(), batch.exact_witnesses(), strict=True):
            assert A.locate(w).tolist() == [s]


@given(central())
def test_all_cells_meet_at_the_origin(instance):
    assert as_set(build(instance).locate([0] * instance.dimension)) == cell_set(instance)


@given(ANY, st.data())
def test_the_cells_around_a_boundary_point_are_those_that_agree_with_its_signs(instance, data):
    """At a vertex, on a ray, or between them: the cells whose signs are those of the point wherever it has any."""
    corners = sorted(set().union(*reference.vertices(**instance.twin).values()))
    arrows = sorted(set().union(*reference.rays(**instance.twin).values()))
    w = data.draw(st.sampled_from(corners))
    if arrows:
        for arrow in data.draw(st.lists(st.sampled_from(arrows), max_size=2)):
            w = tuple(x + y for x, y in zip(w, arrow, strict=True))
    here = signs_at(instance, w)
    rows, _ = exact_data(instance)
    fixed = [i for i, row in enumerate(rows) if here[i] or not any(row)]
    expected = {s for s in cell_set(instance) if all(s[i] == here[i] for i in fixed)}
    assert as_set(build(instance).locate(w)) == expected
