#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>

#include "numpy.hpp"
#include "topes/sample.hpp"

namespace topes::python {

namespace {

using Columns = Array<std::uint32_t>;

// Rows look at the numbers of the array they come from.
struct OwnedRows {
  py::object array;
  SampleRows rows;
};

template <class T, class Make>
auto factory(Make make) {
  return [make](const Array<T>& x) {
    if (x.ndim() != 2) throw py::value_error("rows must be two-dimensional");
    const auto n = static_cast<std::size_t>(x.shape(0));
    const auto d = static_cast<std::size_t>(x.shape(1));
    std::optional<SampleRows> rows;
    {
      const py::gil_scoped_release release;
      rows = make(view(x), n, d);
    }
    return std::make_unique<OwnedRows>(OwnedRows{x, std::move(*rows)});
  };
}

std::unique_ptr<OwnedRows> from_bytes(const Array<std::uint8_t>& x) {
  if (x.ndim() != 3 || x.shape(2) == 0) throw py::value_error("rows must have shape (n, d, width)");
  const auto shape = [&x](py::ssize_t k) { return static_cast<std::size_t>(x.shape(k)); };
  std::optional<SampleRows> rows;
  {
    const py::gil_scoped_release release;
    rows = SampleRows::from_integers(integers_from_bytes(view(x), shape(0), shape(1), shape(2)));
  }
  return std::make_unique<OwnedRows>(OwnedRows{py::none(), std::move(*rows)});
}

Support support(std::size_t n_columns, const Columns& offsets, const Columns& places, const Columns& always) {
  const auto take = [](const Columns& c) { return std::vector<std::uint32_t>(c.data(), c.data() + c.size()); };
  Support s{n_columns, take(offsets), take(places), take(always)};
  s.check();
  return s;
}

KernelKind kernel_of(const std::string& name) {
  if (name == "fastest") return KernelKind::fastest;
  if (name == "avx2") return KernelKind::avx2;
  if (name == "portable") return KernelKind::portable;
  throw py::value_error("kernel must be 'fastest', 'avx2' or 'portable'");
}

// (packed, counts, first, counters)
py::tuple sample(const OwnedRows& owned, const Support& where, PhiloxKey key, std::uint64_t first, std::uint64_t count,
                 std::uint64_t max_patterns, unsigned n_threads, const std::string& kernel, const py::object& progress) {
  using namespace py::literals;
  const SampleRows& rows = owned.rows;
  const KernelKind kind = kernel_of(kernel);
  SampledPatterns found;
  {
    const py::gil_scoped_release release;
    found = sample_patterns(rows, where, {key, first, count, max_patterns, n_threads, make_hook(progress), kind});
  }
  const auto p = static_cast<py::ssize_t>(found.counts.size());
  const auto& c = found.counters;
  return py::make_tuple(
      own(std::move(found.packed), {p, static_cast<py::ssize_t>(packed_bytes(rows.n_rows()))}), own(std::move(found.counts), {p}),
      own(std::move(found.first), {p}),
      py::dict("signs"_a = c.signs, "double_signs"_a = c.double_signs, "exact_signs"_a = c.exact_signs, "redrawn"_a = c.redrawn));
}

// Row s is direction `first + s`, shape (count, n_columns).
py::array_t<double> directions(const Support& where, PhiloxKey key, std::uint64_t first, std::uint64_t count) {
  std::vector<double> out(count * where.n_columns, 0.0);
  {
    const py::gil_scoped_release release;
    std::vector<double> w(where.size());
    for (std::uint64_t s = 0; s < count; ++s) {
      const std::size_t place = draw_direction(where, key, first + s, 0, w.data());
      double* row = out.data() + s * where.n_columns;
      const std::size_t moved = where.offsets.size();
      for (std::size_t t = 0; t < moved; ++t) row[where.offsets[t] + where.places[place]] = w[t];
      for (std::size_t t = moved; t < w.size(); ++t) row[where.always[t - moved]] = w[t];
    }
  }
  return own(std::move(out), {static_cast<py::ssize_t>(count), static_cast<py::ssize_t>(where.n_columns)});
}

}  // namespace

void bind_sample(py::module_& m) {
  using namespace py::literals;
  py::class_<OwnedRows>(m, "SampleRows")
      .def_static("from_doubles", factory<double>(&SampleRows::from_doubles), "rows"_a.noconvert())
      .def_static("from_int64", factory<std::int64_t>(&SampleRows::from_int64), "rows"_a.noconvert())
      .def_static("from_bytes", &from_bytes, "rows"_a.noconvert())
      .def("sample", &sample, "support"_a, "key"_a, "first"_a, "count"_a, "max_patterns"_a, "n_threads"_a, "kernel"_a,
           "progress"_a);
  py::class_<Support>(m, "SampleSupport")
      .def(py::init(&support), "n_columns"_a, "offsets"_a.noconvert(), "places"_a.noconvert(), "always"_a.noconvert())
      .def("directions", &directions, "key"_a, "first"_a, "count"_a);
  m.def("sample_bytes_per_pattern", &sample_bytes_per_pattern, "n_rows"_a);
}

}  // namespace topes::python
