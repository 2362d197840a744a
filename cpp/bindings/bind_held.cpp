#include "numpy.hpp"
#include "topes/held.hpp"
#include "topes/neighbors.hpp"
#include "topes/zonotope.hpp"

namespace topes::python {

namespace {

HeldCells hold(const Arrangement& a, std::uint64_t max_cells, unsigned n_threads, const py::object& progress) {
  const py::gil_scoped_release release;
  return hold_cells(a, max_cells, {n_threads, make_hook(progress)});
}

HeldCells insert(const Arrangement& from, const HeldCells& held, const Arrangement& to, std::uint64_t max_cells,
                 const py::object& progress) {
  const py::gil_scoped_release release;
  return insert_row(from, held, to, max_cells, make_hook(progress));
}

// Rows [first, last) into `out`, uint8; int8 is viewed as uint8 by the caller.
void unpack(const Arrangement& a, const HeldCells& held, std::uint64_t first, std::uint64_t last, int positive, int negative,
            int zero, Array<std::uint8_t>& out, unsigned n_threads, const py::object& progress) {
  if (out.ndim() != 2 || static_cast<std::uint64_t>(out.shape(0)) != last - first ||
      static_cast<std::size_t>(out.shape(1)) != a.n_rows()) {
    throw py::value_error("out must have shape (last - first, n)");
  }
  const std::span<std::uint8_t> to(out.mutable_data(), static_cast<std::size_t>(out.size()));
  const py::gil_scoped_release release;
  unpack_cells(a, held, first, last, static_cast<std::uint8_t>(positive), static_cast<std::uint8_t>(negative),
               static_cast<std::uint8_t>(zero), to, {n_threads, make_hook(progress)});
}

py::tuple neighbors(const Arrangement& a, const HeldCells& held, unsigned n_threads, const py::object& progress) {
  Neighbors result;
  {
    const py::gil_scoped_release release;
    result = find_neighbors(a, held, {n_threads, make_hook(progress)});
  }
  const auto size = [](const auto& v) { return static_cast<py::ssize_t>(v.size()); };
  const py::ssize_t n = size(result.indptr);
  const py::ssize_t k = size(result.facets);
  return py::make_tuple(own(std::move(result.indptr), {n}), own(std::move(result.facets), {k}),
                        own(std::move(result.cells), {k}));
}

py::array_t<double> vertices(const Arrangement& a, const HeldCells& held, const Array<double>& x, unsigned n_threads,
                             const py::object& progress) {
  if (x.ndim() != 2 || static_cast<std::size_t>(x.shape(0)) != a.n_rows()) throw py::value_error("x must have shape (n, d)");
  const py::ssize_t d = x.shape(1);
  std::vector<double> out;
  {
    const py::gil_scoped_release release;
    out = zonotope_vertices(a, held, view(x), static_cast<std::size_t>(d), {n_threads, make_hook(progress)});
  }
  const py::ssize_t rows = d == 0 ? 1 : static_cast<py::ssize_t>(out.size()) / d;
  return own(std::move(out), {rows, d});
}

}  // namespace

void bind_held(py::module_& m) {
  using namespace py::literals;
  py::class_<HeldCells>(m, "HeldCells")
      .def_property_readonly("n_found", [](const HeldCells& h) { return h.rows.size(); })
      .def_property_readonly("counters", [](const HeldCells& h) { return counters_dict(h.counters); });
  m.def("hold", &hold, "arrangement"_a, "max_cells"_a, "n_threads"_a, "progress"_a);
  m.def("insert", &insert, "old"_a, "held"_a, "new"_a, "max_cells"_a, "progress"_a);
  m.def("unpack", &unpack, "arrangement"_a, "held"_a, "first"_a, "last"_a, "positive"_a, "negative"_a, "zero"_a,
        "out"_a.noconvert(), "n_threads"_a, "progress"_a);
  m.def("neighbors", &neighbors, "arrangement"_a, "held"_a, "n_threads"_a, "progress"_a);
  m.def("vertices", &vertices, "arrangement"_a, "held"_a, "x"_a.noconvert(), "n_threads"_a, "progress"_a);
}

}  // namespace topes::python
