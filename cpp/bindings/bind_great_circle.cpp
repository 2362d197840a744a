#include <algorithm>
#include <cmath>

#include "numpy.hpp"
#include "topes/great_circle.hpp"

namespace topes::python {

namespace {

// (cos (K,), sin (K,)) of the best points of K circles
py::tuple best_on_circles(const Array<double>& a, const Array<double>& b, const Array<double>& v, const Array<double>& signs,
                          double kappa) {
  if (a.ndim() != 2 || b.ndim() != 2 || v.ndim() != 1 || signs.ndim() != 1 || a.shape(0) != b.shape(0) || a.shape(1) != b.shape(1) ||
      a.shape(0) != signs.shape(0) || a.shape(1) != v.shape(0)) {
    throw py::value_error("a and b must be of shape (K, n), v of shape (n,), signs of shape (K,)");
  }
  const auto finite = [](const Array<double>& x) { return std::all_of(x.data(), x.data() + x.size(), [](double t) { return std::isfinite(t); }); };
  if (!finite(a) || !finite(b) || !finite(v)) throw py::value_error("a, b and v must be finite");
  const py::object nothing = py::none();
  const ProgressHook hook = make_hook(nothing);
  const auto K = static_cast<std::size_t>(a.shape(0));
  const auto n = static_cast<std::size_t>(a.shape(1));
  std::vector<double> cosines(K);
  std::vector<double> sines(K);
  {
    const py::gil_scoped_release release;
    GreatCircle circle;
    for (std::size_t k = 0; k < K; ++k) {
      if (k % 8 == 7) hook(0, 0);  // Ctrl-C
      const CirclePoint x = circle.best({a.data() + k * n, n}, {b.data() + k * n, n}, {v.data(), n}, signs.data()[k], kappa);
      cosines[k] = x.cos;
      sines[k] = x.sin;
    }
  }
  const auto size = static_cast<py::ssize_t>(K);
  return py::make_tuple(own(std::move(cosines), {size}), own(std::move(sines), {size}));
}

}  // namespace

void bind_great_circle(py::module_& m) {
  using namespace py::literals;
  m.def("best_on_circles", &best_on_circles, "a"_a, "b"_a, "v"_a, "signs"_a, "kappa"_a);
}

}  // namespace topes::python
