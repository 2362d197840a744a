// A plan and its tasks: what one process does of a walk that many share.
#include <memory>

#include "numpy.hpp"
#include "topes/cells.hpp"
#include "topes/count.hpp"
#include "topes/solid_angle.hpp"

namespace topes::python {

namespace {

std::unique_ptr<Plan> plan(const Arrangement& a, double n_tasks, double one_task) {
  if (a.rank() == 0) throw py::value_error("a plan needs a hyperplane");
  if (!(n_tasks >= 1)) throw py::value_error("n_tasks must be at least 1");
  const py::object nothing = py::none();
  const ProgressHook hook = make_hook(nothing);
  const py::gil_scoped_release release;
  Control control;
  return std::make_unique<Plan>(make_plan(a, control, hook, {n_tasks, one_task}));
}

py::array_t<double> weights(const Plan& p) {
  std::vector<double> out = p.weights();
  const auto n = static_cast<py::ssize_t>(out.size());
  return own(std::move(out), {n});
}

TaskRange range_of(const Plan& p, std::size_t first, std::size_t last) {
  if (first > last || last > p.tasks.size()) throw py::value_error("tasks must be a range of the plan's");
  return {first, last};
}

// (n_cells, counters)
py::tuple count(const Arrangement& a, const Plan& p, std::size_t first, std::size_t last, std::uint64_t max_cells,
                const py::object& progress) {
  CountResult result;
  const TaskRange range = range_of(p, first, last);
  {
    const py::gil_scoped_release release;
    result = count_tasks(a, p, range, max_cells, {1, make_hook(progress)});
  }
  return py::make_tuple(result.n_cells, counters_dict(result.counters));
}

// (n_cells, packed (n_cells, ceil(n / 8)))
py::tuple pack(const Arrangement& a, const Plan& p, std::size_t first, std::size_t last, std::uint64_t max_cells,
               const py::object& progress) {
  PackedCells result;
  const TaskRange range = range_of(p, first, last);
  {
    const py::gil_scoped_release release;
    result = pack_tasks(a, p, range, max_cells, {1, make_hook(progress)});
  }
  const auto n_cells = static_cast<py::ssize_t>(result.n_cells);
  return py::make_tuple(n_cells, own(std::move(result.packed), {n_cells, static_cast<py::ssize_t>(packed_bytes(a.n_rows()))}));
}

py::bytes bytes_of(const std::vector<std::uint8_t>& packed) {
  return {reinterpret_cast<const char*>(packed.data()), packed.size()};
}

using CellTuple = std::tuple<double, double, py::bytes>;
using SumTuple = std::pair<double, double>;

py::tuple to_tuple(const AnglePart& part) {
  py::list bins;
  for (const std::int64_t times : part.bins) bins.append(times);
  const auto cell = [](const AngledCell& c) { return py::make_tuple(c.angle, c.error, bytes_of(c.packed)); };
  return py::make_tuple(py::make_tuple(part.sum.high, part.sum.low), py::make_tuple(part.error.high, part.error.low), part.n,
                        part.n_exact, cell(part.least), cell(part.greatest), part.first_bin, std::move(bins));
}

AnglePart from_tuple(const py::tuple& t) {
  if (t.size() != 8) throw py::value_error("a part has eight entries");
  const auto sum = [](const py::handle& h) {
    const auto [high, low] = h.cast<SumTuple>();
    return Sum{high, low};
  };
  const auto cell = [](const py::handle& h) {
    const auto [angle, error, packed] = h.cast<CellTuple>();
    const std::string_view bytes = packed;
    return AngledCell{angle, error, {bytes.begin(), bytes.end()}};
  };
  AnglePart part;
  part.sum = sum(t[0]);
  part.error = sum(t[1]);
  part.n = t[2].cast<std::uint64_t>();
  part.n_exact = t[3].cast<std::uint64_t>();
  part.least = cell(t[4]);
  part.greatest = cell(t[5]);
  part.first_bin = t[6].cast<std::int64_t>();
  for (const py::handle times : t[7].cast<py::sequence>()) part.bins.push_back(times.cast<std::int64_t>());
  return part;
}

// (sum, error, n, n_exact, least, greatest, first_bin, bins) for each task
py::list parts(const Arrangement& a, const Plan& p, std::size_t first, std::size_t last, std::uint64_t n_points,
               std::uint64_t seed, std::uint64_t max_cells, const py::object& progress) {
  AngleParts result;
  const TaskRange range = range_of(p, first, last);
  if (a.rank() < 2) throw py::value_error("parts need a rank of at least 2");
  {
    const py::gil_scoped_release release;
    result = angle_parts(a, p, range, {n_points, seed, max_cells, {1, make_hook(progress)}});
  }
  py::list out;
  for (const AnglePart& part : result.parts) out.append(to_tuple(part));
  return out;
}

// As solid_angle_summary, without counters.
py::tuple summary(const Arrangement& a, const py::list& all) {
  std::vector<AnglePart> found;
  for (const py::handle part : all) found.push_back(from_tuple(part.cast<py::tuple>()));
  return summary_tuple(summarise_parts(a, found));
}

}  // namespace

void bind_plan(py::module_& m) {
  using namespace py::literals;
  py::class_<Plan>(m, "Plan")
      .def(py::init(&plan), "arrangement"_a, "n_tasks"_a, "one_task"_a)
      .def_property_readonly("n_tasks", [](const Plan& p) { return p.tasks.size(); })
      .def_property_readonly("weights", &weights)
      .def_property_readonly("counters", [](const Plan& p) { return counters_dict(p.counters); });
  m.attr("DEFAULT_PLAN_SIZE") = py::make_tuple(PlanSize{}.n_tasks, PlanSize{}.one_task);
  m.def("count_tasks", &count, "arrangement"_a, "plan"_a, "first"_a, "last"_a, "max_cells"_a, "progress"_a);
  m.def("pack_tasks", &pack, "arrangement"_a, "plan"_a, "first"_a, "last"_a, "max_cells"_a, "progress"_a);
  m.def("angle_parts", &parts, "arrangement"_a, "plan"_a, "first"_a, "last"_a, "n_points"_a, "seed"_a, "max_cells"_a,
        "progress"_a);
  m.def("summarise_parts", &summary, "arrangement"_a, "parts"_a);
}

}  // namespace topes::python
