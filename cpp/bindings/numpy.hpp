// Between numpy arrays and the core's spans and vectors; the hook that hears Ctrl-C.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "topes/exact.hpp"
#include "topes/predicate.hpp"
#include "topes/progress.hpp"

namespace topes {
struct AngleSummary;
}

namespace topes::python {

namespace py = pybind11;

template <class T>
using Array = py::array_t<T, py::array::c_style>;

template <class T>
std::span<const T> view(const Array<T>& a) {
  return {a.data(), static_cast<std::size_t>(a.size())};
}

/// A read-only array that owns the vector: no copy.
template <class T>
py::array_t<T> own(std::vector<T>&& values, std::vector<py::ssize_t> shape) {
  auto* kept = new std::vector<T>(std::move(values));
  const py::capsule owner(kept, [](void* p) { delete static_cast<std::vector<T>*>(p); });
  py::array_t<T> out(std::move(shape), kept->data(), owner);
  out.attr("setflags")(py::arg("write") = false);
  return out;
}

/// Asks Python for signals, then calls `progress(fraction, cells)` unless it is None. Takes the GIL.
inline ProgressHook make_hook(const py::object& progress) {
  return [&progress](double fraction, std::uint64_t cells) {
    const py::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (!progress.is_none()) progress(fraction, cells);
  };
}

inline py::dict counters_dict(const PredicateCounters& c) {
  using namespace py::literals;
  return py::dict("signs"_a = c.signs, "exact_signs"_a = c.exact_signs, "exact_rays"_a = c.exact_rays);
}

inline py::int_ to_python(const Integer& x) {
  std::string digits = Integer(abs(x)).str(0, std::ios_base::hex);
  if (x < 0) digits.insert(0, 1, '-');
  return py::reinterpret_steal<py::int_>(PyLong_FromString(digits.c_str(), nullptr, 16));
}

/// (n_cells, sum, error, least, greatest, first_bin, bins, bins_per_decade, exact_cones, counters)
py::tuple summary_tuple(AngleSummary&& summary);

void bind_arrangement(py::module_& m);
void bind_cells(py::module_& m);
void bind_descent(py::module_& m);
void bind_great_circle(py::module_& m);
void bind_held(py::module_& m);
void bind_plan(py::module_& m);
void bind_pricing(py::module_& m);
void bind_sample(py::module_& m);
void bind_solid_angle(py::module_& m);

}  // namespace topes::python
