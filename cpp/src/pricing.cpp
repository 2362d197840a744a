#include "topes/pricing.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <string>
#include <type_traits>

#include "topes/error.hpp"
#include "topes/price_parts.hpp"

namespace topes {

namespace {

void check_dimension(std::size_t r) {
  if (r < 1 || r > static_cast<std::size_t>(kLargestPricingDimension)) {
    throw InvalidArgument("pricing needs a dimension from 1 to " + std::to_string(kLargestPricingDimension) + ", got " +
                          std::to_string(r));
  }
}

void check(const PricingSpace& space, const PricingWeights& weights, std::span<const double> starts) {
  const std::size_t r = space.dimension;
  check_dimension(r);
  const std::size_t m = space.size();
  const bool fits = space.normals.size() == m * r && (!round(space.ball) || space.scale.size() == r) &&
                    weights.outputs >= 1 && weights.bend.size() == m * weights.outputs &&
                    weights.linear.size() == weights.outputs * r && starts.size() % r == 0;
  if (!fits) throw InvalidArgument("pricing: the arrays do not fit each other");
}

// Phi at one point, every hyperplane looked at. C numbers into out.
void evaluate(const PricingSpace& space, const PricingWeights& weights, const double* w, double* out) {
  const std::size_t r = space.dimension;
  const std::size_t outputs = weights.outputs;
  for (std::size_t c = 0; c < outputs; ++c) {
    out[c] = 0;
    for (std::size_t i = 0; i < r; ++i) out[c] += weights.linear[c * r + i] * w[i];
  }
  for (std::size_t k = 0; k < space.size(); ++k) {
    double h = 0;
    for (std::size_t i = 0; i < r; ++i) h += space.normals[k * r + i] * w[i];
    if (h <= 0) continue;
    for (std::size_t c = 0; c < outputs; ++c) out[c] += weights.bend[k * outputs + c] * h;
  }
}

double norm_of(const PricingSpace& space, const double* w) {
  double sum = 0;
  const std::size_t last = space.dimension - 1;
  for (std::size_t i = 0; i < space.dimension; ++i) {
    switch (space.ball) {
      case Ball::euclidean: sum += (w[i] / space.scale[i]) * (w[i] / space.scale[i]); break;
      case Ball::cylinder: sum += i == last ? 0.0 : (w[i] / space.scale[i]) * (w[i] / space.scale[i]); break;
      case Ball::cross: sum += std::abs(w[i]); break;
      case Ball::cube: sum = std::max(sum, std::abs(w[i])); break;
      case Ball::prism: sum = i == last ? std::max(sum, std::abs(w[i])) : sum + std::abs(w[i]); break;
    }
  }
  if (space.ball == Ball::cylinder) return std::max(std::sqrt(sum), std::abs(w[last]));
  return space.ball == Ball::euclidean ? std::sqrt(sum) : sum;
}

// The starts, priced; the largest of these prices goes into best.
template <int R>
std::vector<PricedDirection> price_starts(const PricingSpace& space, const PricingWeights& weights, std::span<const double> starts,
                                          double floor, double& best) {
  std::vector<PricedDirection> all;
  std::vector<double> out(weights.outputs);
  for (std::size_t s = 0; s < starts.size() / R; ++s) {
    const double* w = starts.data() + s * R;
    const double size = norm_of(space, w);
    if (!(size > 0) || !std::isfinite(size)) continue;
    evaluate(space, weights, w, out.data());
    double squares = 0;
    for (const double x : out) squares += x * x;
    const double value = std::sqrt(squares) / size;
    best = std::max(best, value);
    if (value <= floor) continue;
    PricedDirection d{std::vector<double>(w, w + R), value, weights.outputs == 1 && out[0] < 0 ? -1 : 1};
    for (double& x : d.w) x /= size;
    all.push_back(std::move(d));
  }
  return all;
}

// Searches parts to their end, wave by wave: what the pieces of one leave open are the pieces of the next.
template <int R>
class Waves {
 public:
  Waves(PriceParts<R>& here, const PieceSearch& elsewhere, double incumbent)
      : here_(here), elsewhere_(elsewhere), incumbent_(incumbent) {}

  /// Each of these parts with so many cones at most. What is known of them is forgotten, but for bounds.
  void search(const std::vector<std::size_t>& open, std::uint64_t max_nodes, std::vector<PieceResult>& parts) {
    PricingWave wave;
    std::vector<double> known(parts.size(), INFINITY);
    for (const std::size_t k : open) {
      if (parts[k].nodes > 0) known[k] = parts[k].upper;  // a second search that the clock cuts short may bound its part less well
      parts[k] = {};
      wave.pieces.push_back({k, {{}, INFINITY}, max_nodes});
    }
    while (!wave.pieces.empty()) {
      wave.incumbent = incumbent_;
      std::vector<PieceResult> found = elsewhere_ ? elsewhere_(wave) : here_.search(wave);
      if (found.size() != wave.pieces.size()) throw InvalidArgument("pricing: the pieces that came back are not those asked for");
      std::vector<PricingPiece> next;
      for (std::size_t k = 0; k < found.size(); ++k) {
        const std::size_t part = wave.pieces[k].part;
        add(found[k], parts[part]);
        for (OpenCone& cone : found[k].open) next.push_back({part, std::move(cone), 0});
      }
      std::vector<std::uint64_t> n_open(parts.size());
      for (const PricingPiece& piece : next) ++n_open[piece.part];
      for (PricingPiece& piece : next) {
        const std::uint64_t spent = std::min(parts[piece.part].nodes, max_nodes);
        piece.max_nodes = max_nodes == ~std::uint64_t{0} ? max_nodes : (max_nodes - spent) / n_open[piece.part];
      }
      wave.pieces = std::move(next);
    }
    for (const std::size_t k : open) parts[k].upper = std::min(parts[k].upper, known[k]);
  }

 private:
  void add(PieceResult& piece, PieceResult& part) {
    if (!(piece.upper >= 0)) throw InvalidArgument("pricing: a piece came back without a bound");
    incumbent_ = std::max(incumbent_, piece.best);
    part.upper = std::max(part.upper, piece.upper);
    part.best = std::max(part.best, piece.best);
    part.complete = part.complete && piece.complete;
    part.nodes += piece.nodes;
    std::move(piece.directions.begin(), piece.directions.end(), std::back_inserter(part.directions));
    if (part.cover.split.empty()) part.cover = std::move(piece.cover);  // recorded searches leave nothing open
  }

  PriceParts<R>& here_;
  const PieceSearch& elsewhere_;
  double incumbent_;
};

template <int R>
PricingResult search(const PricingSpace& space, const PricingWeights& weights, std::span<const double> starts,
                     const PricingOptions& options, const PieceSearch& elsewhere) {
  PricingResult result;
  PriceParts<R> here(space, weights, options);
  const std::size_t n_parts = here.n_parts();
  std::vector<PricedDirection> all = price_starts<R>(space, weights, starts, options.floor, result.best);
  // A good price first, the same for all parts: what prunes them must not depend on their timing.
  result.best = std::max(result.best, here.dive(result.best));

  Waves<R> waves(here, elsewhere, result.best);
  std::vector<PieceResult> parts(n_parts);
  std::vector<std::size_t> open(n_parts);
  std::iota(open.begin(), open.end(), std::size_t{0});
  const std::uint64_t no_limit = ~std::uint64_t{0};
  std::uint64_t each = options.max_nodes == no_limit ? no_limit : std::max<std::uint64_t>(1, options.max_nodes / n_parts);
  waves.search(open, each, parts);
  while (options.reallot && !options.record) {
    std::uint64_t spent = 0;
    open.clear();
    for (std::size_t part = 0; part < n_parts; ++part) {
      if (parts[part].complete) {
        spent += parts[part].nodes;
      } else {
        open.push_back(part);
      }
    }
    if (open.empty() || spent >= options.max_nodes || here.late()) break;
    const std::uint64_t more = (options.max_nodes - spent) / open.size();
    if (more < 2 * each) break;  // not worth beginning again
    for (const std::size_t part : open) result.nodes += parts[part].nodes;
    each = more;
    waves.search(open, each, parts);
  }
  for (PieceResult& part : parts) {
    result.upper = std::max(result.upper, part.upper);
    result.best = std::max(result.best, part.best);
    result.complete = result.complete && part.complete;
    result.nodes += part.nodes;
    std::move(part.directions.begin(), part.directions.end(), std::back_inserter(all));
  }
  if (options.record) result.cover = here.joined(parts);
  keep_best(all, options.n_best);
  result.directions = std::move(all);
  return result;
}

// f with the dimension as a constant.
template <class F>
auto with_dimension(std::size_t dimension, F&& f) {
  switch (dimension) {
    case 1: return f(std::integral_constant<int, 1>());
    case 2: return f(std::integral_constant<int, 2>());
    case 3: return f(std::integral_constant<int, 3>());
    case 4: return f(std::integral_constant<int, 4>());
    case 5: return f(std::integral_constant<int, 5>());
    case 6: return f(std::integral_constant<int, 6>());
    case 7: return f(std::integral_constant<int, 7>());
    default: return f(std::integral_constant<int, 8>());
  }
}

}  // namespace

PricingResult price(const PricingSpace& space, const PricingWeights& weights, std::span<const double> starts,
                    const PricingOptions& options, const PieceSearch& elsewhere) {
  check(space, weights, starts);
  return with_dimension(space.dimension, [&](auto r) { return search<decltype(r)::value>(space, weights, starts, options, elsewhere); });
}

std::vector<PieceResult> search_pieces(const PricingSpace& space, const PricingWeights& weights, const PricingOptions& options,
                                       const PricingWave& wave) {
  check(space, weights, {});
  return with_dimension(space.dimension, [&](auto r) {
    PriceParts<decltype(r)::value> here(space, weights, options);
    for (const PricingPiece& piece : wave.pieces) {
      if (piece.part >= here.n_parts()) throw InvalidArgument("pricing: there is no part " + std::to_string(piece.part));
    }
    return here.search(wave);
  });
}

std::vector<double> part_vertices(const PricingSpace& space, std::size_t outputs) {
  check_dimension(space.dimension);
  return with_dimension(space.dimension, [&](auto r) {
    std::vector<double> out;
    const std::size_t searches = outputs == 1 ? 2 : 1;
    for (const auto& cone : make_tasks<decltype(r)::value>(space.ball, searches).cones) {
      for (std::size_t search = 0; search < searches; ++search) {
        for (const auto& vertex : cone.vertex) out.insert(out.end(), vertex.begin(), vertex.end());
      }
    }
    return out;
  });
}

}  // namespace topes
