#include <memory>

#include "numpy.hpp"
#include "topes/arrangement.hpp"
#include "topes/count.hpp"

namespace topes::python {

namespace {

void require_2d(const py::array& x) {
  if (x.ndim() != 2) throw py::value_error("rows must be two-dimensional");
}

std::shared_ptr<Arrangement> build(const IntegerMatrix& rows, bool affine, std::size_t first_inserted) {
  ArrangementOptions options;
  options.affine = affine;
  options.first_inserted = first_inserted;
  return std::make_shared<Arrangement>(rows, options);
}

template <class T, class Convert>
auto factory(Convert convert) {
  return [convert](const Array<T>& x, bool affine, std::size_t first_inserted) {
    require_2d(x);
    const auto n = static_cast<std::size_t>(x.shape(0));
    const auto d = static_cast<std::size_t>(x.shape(1));
    const py::gil_scoped_release release;
    return build(convert(view(x), n, d), affine, first_inserted);
  };
}

std::shared_ptr<Arrangement> from_bytes(const Array<std::uint8_t>& x, bool affine, std::size_t first_inserted) {
  if (x.ndim() != 3 || x.shape(2) == 0) throw py::value_error("rows must have shape (n, d, width)");
  const auto shape = [&x](py::ssize_t k) { return static_cast<std::size_t>(x.shape(k)); };
  const py::gil_scoped_release release;
  return build(integers_from_bytes(view(x), shape(0), shape(1), shape(2)), affine, first_inserted);
}

py::tuple count(const Arrangement& a, std::uint64_t max_cells, unsigned n_threads, const py::object& progress) {
  CountResult result;
  {
    const py::gil_scoped_release release;
    result = count_cells(a, max_cells, {n_threads, make_hook(progress)});
  }
  return py::make_tuple(result.n_cells, counters_dict(result.counters));
}

py::tuple estimate(const Arrangement& a, std::uint64_t n_dives, std::uint64_t seed, const py::object& progress) {
  CountEstimate result;
  {
    const py::gil_scoped_release release;
    result = estimate_count(a, n_dives, seed, make_hook(progress));
  }
  return py::make_tuple(result.mean, result.standard_error);
}

py::array_t<std::int64_t> hyperplanes(const Arrangement& a) {
  std::vector<std::int64_t> out(a.n_rows());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = a.hyperplane_of(i);
  const auto n = static_cast<py::ssize_t>(out.size());
  return own(std::move(out), {n});
}

py::array_t<std::int8_t> orientations(const Arrangement& a) {
  std::vector<std::int8_t> out(a.n_rows());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::int8_t>(a.orientation(i));
  const auto n = static_cast<py::ssize_t>(out.size());
  return own(std::move(out), {n});
}

}  // namespace

void bind_arrangement(py::module_& m) {
  using namespace py::literals;
  py::class_<Arrangement, std::shared_ptr<Arrangement>>(m, "Arrangement")
      .def_static("from_doubles", factory<double>(&integers_from_doubles), "rows"_a.noconvert(), "affine"_a, "first_inserted"_a)
      .def_static("from_int64", factory<std::int64_t>(&integers_from_int64), "rows"_a.noconvert(), "affine"_a, "first_inserted"_a)
      .def_static("from_bytes", &from_bytes, "rows"_a.noconvert(), "affine"_a, "first_inserted"_a)
      .def_property_readonly("n_rows", &Arrangement::n_rows)
      .def_property_readonly("rank", &Arrangement::rank)
      .def_property_readonly("size", &Arrangement::size)
      .def_property_readonly("integer_arithmetic", [](const Arrangement& a) { return a.arithmetic() == Arithmetic::integer; })
      .def_property_readonly("hyperplanes", &hyperplanes)
      .def_property_readonly("orientations", &orientations)
      .def("count", &count, "max_cells"_a, "n_threads"_a, "progress"_a)
      .def("estimate_count", &estimate, "n_dives"_a, "seed"_a, "progress"_a);
}

}  // namespace topes::python
