#include <string>

#include "numpy.hpp"
#include "topes/pricing.hpp"

namespace topes::python {

namespace {

PricingSpace space(const Array<double>& normals, const std::string& ball, const Array<double>& scale) {
  if (normals.ndim() != 2) throw py::value_error("normals must be two-dimensional");
  PricingSpace s;
  s.dimension = static_cast<std::size_t>(normals.shape(1));
  s.normals.assign(normals.data(), normals.data() + normals.size());
  s.scale.assign(scale.data(), scale.data() + scale.size());
  if (ball == "euclidean") {
    s.ball = Ball::euclidean;
  } else if (ball == "cross") {
    s.ball = Ball::cross;
  } else if (ball == "cube") {
    s.ball = Ball::cube;
  } else if (ball == "prism") {
    s.ball = Ball::prism;
  } else if (ball == "cylinder") {
    s.ball = Ball::cylinder;
  } else {
    throw py::value_error("ball must be euclidean, cross, cube, prism or cylinder");
  }
  return s;
}

// (upper, best, complete, nodes, directions (k, dimension), values (k,), signs (k,))
py::tuple run(const PricingSpace& s, const Array<double>& bend, const Array<double>& linear, const Array<double>& starts,
              double floor, double keep, double tolerance, std::uint64_t max_nodes, double max_seconds, std::size_t n_best,
              unsigned n_threads, const py::object& progress, bool reallot) {
  if (bend.ndim() != 2 || linear.ndim() != 2) throw py::value_error("bend and linear must be two-dimensional");
  const PricingWeights weights{static_cast<std::size_t>(linear.shape(0)), view(bend), view(linear)};
  PricingResult result;
  {
    const py::gil_scoped_release release;
    result = price(s, weights, view(starts),
                   {floor, keep, tolerance, max_nodes, max_seconds, n_best, n_threads, make_hook(progress), false, reallot});
  }
  std::vector<double> w;
  std::vector<double> values;
  std::vector<std::int8_t> signs;
  for (const PricedDirection& d : result.directions) {
    w.insert(w.end(), d.w.begin(), d.w.end());
    values.push_back(d.value);
    signs.push_back(static_cast<std::int8_t>(d.sign));
  }
  const auto k = static_cast<py::ssize_t>(values.size());
  return py::make_tuple(result.upper, result.best, result.complete, result.nodes,
                        own(std::move(w), {k, static_cast<py::ssize_t>(s.dimension)}), own(std::move(values), {k}),
                        own(std::move(signs), {k}));
}

// (upper, complete, split (nodes,), depth (nodes,), c (leaves, dimension) or (0, dimension), slope_leaf, slope_row, slope (k,))
py::tuple cover(const PricingSpace& s, const Array<double>& bend, const Array<double>& linear, const Array<double>& starts,
                double floor, double tolerance, std::uint64_t max_nodes, double max_seconds, unsigned n_threads,
                const py::object& progress) {
  if (bend.ndim() != 2 || linear.ndim() != 2) throw py::value_error("bend and linear must be two-dimensional");
  const PricingWeights weights{static_cast<std::size_t>(linear.shape(0)), view(bend), view(linear)};
  PricingResult result;
  {
    const py::gil_scoped_release release;
    result = price(s, weights, view(starts),
                   {floor, 1.0, tolerance, max_nodes, max_seconds, 0, n_threads, make_hook(progress), true});
  }
  PricingCover& c = result.cover;
  const auto size = [](const auto& v) { return static_cast<py::ssize_t>(v.size()); };
  const auto dimension = static_cast<py::ssize_t>(s.dimension);
  const py::ssize_t nodes = size(c.split);
  const py::ssize_t rows = size(c.c) / dimension;
  const py::ssize_t slopes = size(c.slope);
  return py::make_tuple(result.upper, result.complete, own(std::move(c.split), {nodes}), own(std::move(c.depth), {nodes}),
                        own(std::move(c.c), {rows, dimension}), own(std::move(c.slope_leaf), {slopes}),
                        own(std::move(c.slope_row), {slopes}), own(std::move(c.slope), {slopes}));
}

}  // namespace

void bind_pricing(py::module_& m) {
  using namespace py::literals;
  py::class_<PricingSpace>(m, "PricingSpace")
      .def(py::init(&space), "normals"_a.noconvert(), "ball"_a, "scale"_a.noconvert())
      .def("price", &run, "bend"_a.noconvert(), "linear"_a.noconvert(), "starts"_a.noconvert(), "floor"_a, "keep"_a,
           "tolerance"_a, "max_nodes"_a, "max_seconds"_a, "n_best"_a, "n_threads"_a, "progress"_a, "reallot"_a = false)
      .def("cover", &cover, "bend"_a.noconvert(), "linear"_a.noconvert(), "starts"_a.noconvert(), "floor"_a, "tolerance"_a,
           "max_nodes"_a, "max_seconds"_a, "n_threads"_a, "progress"_a);
  m.attr("MAX_PRICING_DIMENSION") = kLargestPricingDimension;
}

}  // namespace topes::python
