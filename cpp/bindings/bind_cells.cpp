#include <memory>

#include "numpy.hpp"
#include "topes/cells.hpp"

namespace topes::python {

namespace {

// (n_cells, packed, witnesses, facet_indptr, facets, ray_indptr, rays, bounded)
py::tuple to_tuple(CellBatch&& b, std::size_t n_rows) {
  const auto size = [](const auto& v) { return static_cast<py::ssize_t>(v.size()); };
  const auto flat = [&](auto& v) {
    const py::ssize_t k = size(v);
    return own(std::move(v), {k});
  };
  const auto n_cells = static_cast<py::ssize_t>(b.n_cells);
  const auto stride = static_cast<py::ssize_t>(packed_bytes(n_rows));
  auto packed = own(std::move(b.packed), {n_cells, stride});
  return py::make_tuple(n_cells, std::move(packed), flat(b.witnesses), flat(b.facet_indptr), flat(b.facets),
                        flat(b.ray_indptr), flat(b.rays), flat(b.bounded));
}

std::unique_ptr<CellStream> stream(const std::shared_ptr<Arrangement>& a, std::uint64_t batch_size, bool geometry,
                                   unsigned n_threads, std::uint64_t max_cells) {
  return std::make_unique<CellStream>(a, StreamOptions{batch_size, geometry, n_threads, max_cells});
}

py::tuple next(CellStream& s, std::size_t n_rows, const py::object& progress) {
  CellBatch batch;
  {
    const py::gil_scoped_release release;
    batch = s.next(make_hook(progress));
  }
  return to_tuple(std::move(batch), n_rows);
}

// (rays as lists of int, facets), or None where no cell has the pattern.
py::object find(const Arrangement& a, const Array<std::uint8_t>& packed) {
  if (packed.ndim() != 1 || static_cast<std::size_t>(packed.size()) != packed_bytes(a.n_rows())) {
    throw py::value_error("packed must have ceil(n / 8) bytes");
  }
  std::optional<ExactCone> cone;
  {
    const py::gil_scoped_release release;
    cone = find_cell(a, view(packed));
  }
  if (!cone) return py::none();
  py::list rays;
  for (std::size_t k = 0; k < cone->rays.rows; ++k) {
    py::list ray;
    for (const Integer& x : cone->rays.row(k)) ray.append(to_python(x));
    rays.append(std::move(ray));
  }
  py::list facets;
  for (const std::size_t f : cone->facets) facets.append(f);
  return py::make_tuple(std::move(rays), std::move(facets));
}

// Facets alone, or None where no cell has the pattern.
py::object find_facets(const Arrangement& a, const Array<std::uint8_t>& packed) {
  if (packed.ndim() != 1 || static_cast<std::size_t>(packed.size()) != packed_bytes(a.n_rows())) {
    throw py::value_error("packed must have ceil(n / 8) bytes");
  }
  std::optional<ExactCone> cone;
  {
    const py::gil_scoped_release release;
    cone = find_cell(a, view(packed), false);
  }
  if (!cone) return py::none();
  std::vector<std::int64_t> facets(cone->facets.begin(), cone->facets.end());
  const auto k = static_cast<py::ssize_t>(facets.size());
  return own(std::move(facets), {k});
}

}  // namespace

void bind_cells(py::module_& m) {
  using namespace py::literals;
  py::class_<CellStream>(m, "CellStream")
      .def(py::init(&stream), "arrangement"_a, "batch_size"_a, "geometry"_a, "n_threads"_a, "max_cells"_a)
      .def("next", &next, "n_rows"_a, "progress"_a)
      .def("close", &CellStream::close, py::call_guard<py::gil_scoped_release>())
      .def_property_readonly("counters", [](const CellStream& s) { return counters_dict(s.counters()); });
  m.def("find_cell", &find, "arrangement"_a, "packed"_a.noconvert());
  m.def("find_facets", &find_facets, "arrangement"_a, "packed"_a.noconvert());
}

}  // namespace topes::python
