#include <memory>
#include <string>

#include "numpy.hpp"
#include "topes/descent.hpp"

namespace topes::python {

namespace {

std::unique_ptr<Descent> make(const Array<double>& X, const Array<std::int64_t>& group, const Array<double>& factor,
                              const Array<double>& normals, const Array<double>& y, const std::string& loss, double beta,
                              double kappa, std::size_t pool, bool free_bias) {
  if (X.ndim() != 2) throw py::value_error("X must be two-dimensional");
  DescentProblem p;
  p.n = static_cast<std::size_t>(X.shape(0));
  p.r = static_cast<std::size_t>(X.shape(1));
  p.X.resize(p.n * p.r);
  for (std::size_t k = 0; k < p.n; ++k) {
    for (std::size_t a = 0; a < p.r; ++a) p.X[a * p.n + k] = X.data()[k * p.r + a];
  }
  p.group.assign(group.data(), group.data() + group.size());
  p.factor.assign(factor.data(), factor.data() + factor.size());
  p.normals.assign(normals.data(), normals.data() + normals.size());
  p.kappa = kappa;
  p.pool = pool;
  p.free_bias = free_bias;
  p.beta = beta;
  return std::make_unique<Descent>(std::move(p), SmoothLoss(loss_kind(loss), {y.data(), y.data() + y.size()}));
}

void enter(Descent& d, const Array<double>& blocks, const Array<double>& signs) {
  if (blocks.ndim() != 2 || signs.ndim() != 1 || blocks.shape(0) != signs.shape(0)) {
    throw py::value_error("blocks must be two-dimensional, with a sign for each row");
  }
  const auto r = static_cast<std::size_t>(blocks.shape(1));
  for (std::size_t j = 0; j < static_cast<std::size_t>(blocks.shape(0)); ++j) d.enter({blocks.data() + j * r, r}, signs.data()[j]);
}

// (blocks (m, r), signs (m,))
py::tuple blocks(const Descent& d, std::size_t r) {
  std::vector<double> z;
  std::vector<double> signs;
  for (std::size_t j = 0; j < d.size(); ++j) {
    z.insert(z.end(), d.block(j).begin(), d.block(j).end());
    signs.push_back(d.sign(j));
  }
  const auto m = static_cast<py::ssize_t>(d.size());
  return py::make_tuple(own(std::move(z), {m, static_cast<py::ssize_t>(r)}), own(std::move(signs), {m}));
}

std::size_t minimise(Descent& d, double accuracy, double max_seconds, const py::object& progress, std::size_t max_steps) {
  const py::gil_scoped_release release;
  return d.minimise(accuracy, max_seconds, make_hook(progress), max_steps);
}

}  // namespace

void bind_descent(py::module_& m) {
  using namespace py::literals;
  py::class_<Descent>(m, "Descent")
      .def(py::init(&make), "X"_a.noconvert(), "group"_a.noconvert(), "factor"_a.noconvert(), "normals"_a.noconvert(),
           "y"_a.noconvert(), "loss"_a, "beta"_a, "kappa"_a, "pool"_a, "free_bias"_a)
      .def_property_readonly("size", &Descent::size)
      .def("enter", &enter, "blocks"_a.noconvert(), "signs"_a.noconvert())
      .def("minimise", &minimise, "accuracy"_a, "max_seconds"_a, "progress"_a, "max_steps"_a = Descent::kMostSteps)
      .def("blocks", [](const Descent& d) { return blocks(d, d.dimension()); })
      .def("outputs", [](const Descent& d) {
        std::vector<double> f = d.outputs();
        const auto n = static_cast<py::ssize_t>(f.size());
        return own(std::move(f), {n});
      })
      .def("value", &Descent::value)
      .def_property("constant", &Descent::constant, &Descent::set_constant);
}

}  // namespace topes::python
