#include <cstring>
#include <string>
#include <string_view>
#include <utility>

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

PricingWeights weights_of(const Array<double>& bend, const Array<double>& linear) {
  if (bend.ndim() != 2 || linear.ndim() != 2) throw py::value_error("bend and linear must be two-dimensional");
  return {static_cast<std::size_t>(linear.shape(0)), view(bend), view(linear)};
}

// (part, path, bound, max_nodes)
py::tuple to_python(const PricingPiece& p) {
  return py::make_tuple(p.part, py::bytes(reinterpret_cast<const char*>(p.cone.path.data()), p.cone.path.size()), p.cone.bound,
                        p.max_nodes);
}

PricingPiece to_piece(const py::handle& piece) {
  const auto p = piece.cast<py::tuple>();
  if (p.size() != 4) throw py::value_error("a piece must be (part, path, bound, max_nodes)");
  const auto path = p[1].cast<std::string_view>();
  return {p[0].cast<std::size_t>(), {{path.begin(), path.end()}, p[2].cast<double>()}, p[3].cast<std::uint64_t>()};
}

// Python's search(pieces, incumbent), which returns a PricedPiece for each; none if it is None. Takes the GIL.
PieceSearch make_search(const py::object& search) {
  if (search.is_none()) return {};
  return [&search](const PricingWave& wave) {
    const py::gil_scoped_acquire gil;
    py::list pieces;
    for (const PricingPiece& piece : wave.pieces) pieces.append(to_python(piece));
    std::vector<PieceResult> found;
    for (const py::handle piece : py::list(search(pieces, wave.incumbent))) found.push_back(piece.cast<const PieceResult&>());
    return found;
  };
}

struct Columns {
  std::vector<double> w;
  std::vector<double> values;
  std::vector<std::int8_t> signs;
  explicit Columns(const std::vector<PricedDirection>& directions) {
    for (const PricedDirection& d : directions) {
      w.insert(w.end(), d.w.begin(), d.w.end());
      values.push_back(d.value);
      signs.push_back(static_cast<std::int8_t>(d.sign));
    }
  }
};

// (upper, best, complete, nodes, directions (k, dimension), values (k,), signs (k,))
py::tuple run(const PricingSpace& s, const Array<double>& bend, const Array<double>& linear, const Array<double>& starts,
              double floor, double keep, double tolerance, std::uint64_t max_nodes, double max_seconds, std::size_t n_best,
              unsigned n_threads, const py::object& progress, bool reallot, const py::object& search, std::uint64_t slice) {
  const PricingWeights weights = weights_of(bend, linear);
  PricingResult result;
  {
    const py::gil_scoped_release release;
    result = price(s, weights, view(starts),
                   {floor, keep, tolerance, max_nodes, max_seconds, n_best, n_threads, make_hook(progress), false, reallot, slice},
                   make_search(search));
  }
  Columns found(result.directions);
  const auto k = static_cast<py::ssize_t>(found.values.size());
  return py::make_tuple(result.upper, result.best, result.complete, result.nodes,
                        own(std::move(found.w), {k, static_cast<py::ssize_t>(s.dimension)}), own(std::move(found.values), {k}),
                        own(std::move(found.signs), {k}));
}

// (upper, complete, split (nodes,), depth (nodes,), c (leaves, dimension) or (0, dimension), slope_leaf, slope_row, slope (k,))
py::tuple cover(const PricingSpace& s, const Array<double>& bend, const Array<double>& linear, const Array<double>& starts,
                double floor, double tolerance, std::uint64_t max_nodes, double max_seconds, unsigned n_threads,
                const py::object& progress, const py::object& search) {
  const PricingWeights weights = weights_of(bend, linear);
  PricingResult result;
  {
    const py::gil_scoped_release release;
    result = price(s, weights, view(starts),
                   {floor, 1.0, tolerance, max_nodes, max_seconds, 0, n_threads, make_hook(progress), true}, make_search(search));
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

// A PricedPiece for each of the pieces.
py::list pieces(const PricingSpace& s, const Array<double>& bend, const Array<double>& linear, const py::list& asked,
                double incumbent, double floor, double keep, double tolerance, double max_seconds, std::size_t n_best,
                unsigned n_threads, const py::object& progress, bool record, std::uint64_t slice) {
  const PricingWeights weights = weights_of(bend, linear);
  PricingWave wave{{}, incumbent};
  for (const py::handle piece : asked) wave.pieces.push_back(to_piece(piece));
  std::vector<PieceResult> found;
  {
    const py::gil_scoped_release release;
    found = search_pieces(s, weights,
                          {floor, keep, tolerance, 0, max_seconds, n_best, n_threads, make_hook(progress), record, false, slice}, wave);
  }
  py::list out;
  for (PieceResult& piece : found) out.append(py::cast(std::move(piece)));
  return out;
}

template <class T>
py::bytes bytes_of(const std::vector<T>& v) {
  return {reinterpret_cast<const char*>(v.data()), v.size() * sizeof(T)};
}

template <class T>
std::vector<T> from_bytes(const py::handle& bytes) {
  const auto text = bytes.cast<std::string_view>();
  std::vector<T> out(text.size() / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), text.data(), out.size() * sizeof(T));
  return out;
}

py::tuple state_of(const PieceResult& p) {
  const Columns found(p.directions);
  const PricingCover& c = p.cover;
  py::list open;
  for (const OpenCone& cone : p.open) open.append(py::make_tuple(bytes_of(cone.path), cone.bound));
  return py::make_tuple(p.upper, p.best, p.complete, p.late, p.nodes, bytes_of(found.w), bytes_of(found.values),
                        bytes_of(found.signs), open, bytes_of(c.split), bytes_of(c.depth), c.n_leaves, bytes_of(c.c),
                        bytes_of(c.slope_leaf), bytes_of(c.slope_row), bytes_of(c.slope));
}

PieceResult from_state(const py::tuple& state) {
  if (state.size() != 16) throw py::value_error("a PricedPiece of another version of topes");
  PieceResult p;
  p.upper = state[0].cast<double>();
  p.best = state[1].cast<double>();
  p.complete = state[2].cast<bool>();
  p.late = state[3].cast<bool>();
  p.nodes = state[4].cast<std::uint64_t>();
  const auto w = from_bytes<double>(state[5]);
  const auto values = from_bytes<double>(state[6]);
  const auto signs = from_bytes<std::int8_t>(state[7]);
  const std::size_t r = values.empty() ? 0 : w.size() / values.size();
  for (std::size_t k = 0; k < values.size(); ++k) {
    const double* first = w.data() + k * r;
    p.directions.push_back({{first, first + r}, values[k], signs[k]});
  }
  for (const py::handle cone : state[8].cast<py::list>()) {
    const auto pair = cone.cast<py::tuple>();
    p.open.push_back({from_bytes<std::uint8_t>(pair[0]), pair[1].cast<double>()});
  }
  p.cover = {from_bytes<std::uint8_t>(state[9]),   from_bytes<std::uint16_t>(state[10]), state[11].cast<std::uint64_t>(),
             from_bytes<double>(state[12]),        from_bytes<std::uint32_t>(state[13]), from_bytes<std::uint32_t>(state[14]),
             from_bytes<double>(state[15])};
  return p;
}

// (n_parts, dimension, dimension)
py::array_t<double> vertices(const PricingSpace& s, std::size_t outputs) {
  const auto r = static_cast<py::ssize_t>(s.dimension);
  std::vector<double> out = part_vertices(s, outputs);
  const auto n_parts = static_cast<py::ssize_t>(out.size()) / (r * r);
  return own(std::move(out), {n_parts, r, r});
}

}  // namespace

void bind_pricing(py::module_& m) {
  using namespace py::literals;
  py::class_<PieceResult>(m, "PricedPiece")
      .def_readonly("upper", &PieceResult::upper)
      .def_readonly("late", &PieceResult::late)
      .def_readonly("nodes", &PieceResult::nodes)
      .def_property_readonly("n_open", [](const PieceResult& p) { return p.open.size(); })
      .def(py::pickle(&state_of, &from_state));
  py::class_<PricingSpace>(m, "PricingSpace")
      .def(py::init(&space), "normals"_a.noconvert(), "ball"_a, "scale"_a.noconvert())
      .def("price", &run, "bend"_a.noconvert(), "linear"_a.noconvert(), "starts"_a.noconvert(), "floor"_a, "keep"_a,
           "tolerance"_a, "max_nodes"_a, "max_seconds"_a, "n_best"_a, "n_threads"_a, "progress"_a, "reallot"_a = false,
           "search"_a = py::none(), "slice"_a = kSlice)
      .def("cover", &cover, "bend"_a.noconvert(), "linear"_a.noconvert(), "starts"_a.noconvert(), "floor"_a, "tolerance"_a,
           "max_nodes"_a, "max_seconds"_a, "n_threads"_a, "progress"_a, "search"_a = py::none())
      .def("search_pieces", &pieces, "bend"_a.noconvert(), "linear"_a.noconvert(), "pieces"_a, "incumbent"_a, "floor"_a, "keep"_a,
           "tolerance"_a, "max_seconds"_a, "n_best"_a, "n_threads"_a, "progress"_a, "record"_a, "slice"_a = kSlice)
      .def("part_vertices", &vertices, "outputs"_a);
  m.attr("MAX_PRICING_DIMENSION") = kLargestPricingDimension;
  m.attr("PRICING_SLICE") = kSlice;
}

}  // namespace topes::python
