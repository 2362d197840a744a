#include "numpy.hpp"
#include "topes/solid_angle.hpp"

namespace topes::python {

namespace {

AngleOptions options_of(std::uint64_t n_points, std::uint64_t seed, std::uint64_t max_cells, unsigned n_threads,
                        const py::object& progress) {
  return {n_points, seed, max_cells, {n_threads, make_hook(progress)}};
}

py::bytes bytes_of(const std::vector<std::uint8_t>& packed) {
  return {reinterpret_cast<const char*>(packed.data()), packed.size()};
}

py::tuple cell_tuple(const AngledCell& cell) { return py::make_tuple(cell.angle, cell.error, bytes_of(cell.packed)); }

// (angles (P,), errors (P,), exact_cones, counters)
py::tuple angles(const Arrangement& a, std::uint64_t n_points, std::uint64_t seed, std::uint64_t max_cells, unsigned n_threads,
                 const py::object& progress) {
  SolidAngles result;
  {
    const py::gil_scoped_release release;
    result = solid_angles(a, options_of(n_points, seed, max_cells, n_threads, progress));
  }
  const auto n = static_cast<py::ssize_t>(result.angles.size());
  return py::make_tuple(own(std::move(result.angles), {n}), own(std::move(result.errors), {n}), result.counters.exact_cones,
                        counters_dict(result.counters.predicates));
}

py::tuple summary(const Arrangement& a, std::uint64_t n_points, std::uint64_t seed, std::uint64_t max_cells, unsigned n_threads,
                  const py::object& progress) {
  AngleSummary result;
  {
    const py::gil_scoped_release release;
    result = summarise_angles(a, options_of(n_points, seed, max_cells, n_threads, progress));
  }
  return summary_tuple(std::move(result));
}

// (angle, error), or None where no cell has the pattern.
py::object of_cell(const Arrangement& a, const Array<std::uint8_t>& packed, std::uint64_t n_points, std::uint64_t seed,
                   const py::object& progress) {
  if (packed.ndim() != 1 || static_cast<std::size_t>(packed.size()) != packed_bytes(a.n_rows())) {
    throw py::value_error("packed must have ceil(n / 8) bytes");
  }
  std::optional<AngledCell> cell;
  {
    const py::gil_scoped_release release;
    cell = angle_of_cell(a, view(packed), options_of(n_points, seed, ~std::uint64_t{0}, 1, progress));
  }
  if (!cell) return py::none();
  return py::make_tuple(cell->angle, cell->error);
}

}  // namespace

py::tuple summary_tuple(AngleSummary&& s) {
  const auto n = static_cast<py::ssize_t>(s.bins.size());
  return py::make_tuple(s.n_cells, s.sum, s.error, cell_tuple(s.least), cell_tuple(s.greatest), s.first_bin,
                        own(std::move(s.bins), {n}), AngleSummary::kBinsPerDecade, s.counters.exact_cones,
                        counters_dict(s.counters.predicates));
}

void bind_solid_angle(py::module_& m) {
  using namespace py::literals;
  m.def("solid_angles", &angles, "arrangement"_a, "n_points"_a, "seed"_a, "max_cells"_a, "n_threads"_a, "progress"_a);
  m.def("solid_angle_summary", &summary, "arrangement"_a, "n_points"_a, "seed"_a, "max_cells"_a, "n_threads"_a, "progress"_a);
  m.def("solid_angle_of_cell", &of_cell, "arrangement"_a, "packed"_a.noconvert(), "n_points"_a, "seed"_a, "progress"_a);
}

}  // namespace topes::python
