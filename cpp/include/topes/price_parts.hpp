// The parts that every search begins with, and the search of pieces of them on threads. Included by pricing.cpp only.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "topes/price_search.hpp"

namespace topes {

inline constexpr std::size_t kArenaBytes = std::size_t{1} << 22;
inline constexpr std::size_t kTasks = 16;  // shares of the search, whatever the number of threads

// The error of Phi at a vertex, in every component together. A sum of m + R terms whose factors carry at most kMostBits + R
// roundings; a vertex has entries of at most 1.
inline double rounding_of(const PricingSpace& space, const PricingWeights& weights) {
  const std::size_t r = space.dimension;
  double total = 0;
  for (std::size_t k = 0; k < space.size(); ++k) {
    double size = 0;
    for (std::size_t i = 0; i < r; ++i) size += std::abs(space.normals[k * r + i]);
    double weight = 0;
    for (std::size_t c = 0; c < weights.outputs; ++c) weight += std::abs(weights.bend[k * weights.outputs + c]);
    total += weight * size;
  }
  for (const double b : weights.linear) total += std::abs(b);
  const auto terms = static_cast<double>(space.size() + 2 * r + static_cast<std::size_t>(kMostBits) + 16);
  return 2.0 * terms * kRoundoff * total;
}

template <int R>
struct Tasks {
  std::vector<SimplicialCone<R>> cones;
  std::vector<std::vector<std::uint8_t>> edges;  // for each round of halving, the edge of each cone
};

template <int R>
Tasks<R> make_tasks(Ball ball, std::size_t searches) {
  Tasks<R> tasks;
  std::vector<SimplicialCone<R>>& cones = tasks.cones;
  cones = make_fan<R>(ball == Ball::cube ? Fan::cube : ball == Ball::prism ? Fan::prism : Fan::cross);
  while (R > 1 && cones.size() * searches < kTasks) {
    std::vector<SimplicialCone<R>> halves;
    std::vector<std::uint8_t>& edges = tasks.edges.emplace_back();
    for (const auto& cone : cones) {
      std::size_t a = 0;
      std::size_t b = 1;
      double longest = -1;
      for (std::size_t i = 0; i < R; ++i) {
        for (std::size_t j = i + 1; j < R; ++j) {
          double squares = 0;
          for (std::size_t k = 0; k < R; ++k) squares += std::pow(cone.vertex[i][k] - cone.vertex[j][k], 2);
          if (squares > longest) {
            longest = squares;
            a = i;
            b = j;
          }
        }
      }
      edges.push_back(static_cast<std::uint8_t>(edge_number<R>(a, b)));
      halves.push_back(half(cone, a, b));
      halves.push_back(half(cone, b, a));
    }
    cones = std::move(halves);
  }
  return tasks;
}

// Append the tree of cone `index` of round `level` of the halving: its own cut and those of its tasks.
template <int R>
void append(const Tasks<R>& tasks, std::size_t level, std::size_t index, const std::vector<PieceResult>& parts, std::size_t searches,
            std::size_t search, PricingCover& out) {
  if (level < tasks.edges.size()) {
    out.split.push_back(static_cast<std::uint8_t>(1 + tasks.edges[level][index]));
    out.depth.push_back(static_cast<std::uint16_t>(level));
    for (std::size_t k = 0; k < 2; ++k) append(tasks, level + 1, 2 * index + k, parts, searches, search, out);
    return;
  }
  const PricingCover& part = parts[index * searches + search].cover;
  for (const std::uint32_t leaf : part.slope_leaf) out.slope_leaf.push_back(static_cast<std::uint32_t>(out.n_leaves) + leaf);
  out.n_leaves += part.n_leaves;
  const auto extend = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  extend(out.split, part.split);
  extend(out.depth, part.depth);
  extend(out.c, part.c);
  extend(out.slope_row, part.slope_row);
  extend(out.slope, part.slope);
}

// Best first; of equals the first ones.
inline void keep_best(std::vector<PricedDirection>& all, std::size_t n_best) {
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.value > b.value; });
  if (all.size() > n_best) all.resize(n_best);
}

/// The parts of one call, and the search of a wave of their pieces on threads: each from the same incumbent, so that none depends on
/// another.
template <int R>
class PriceParts {
 public:
  PriceParts(const PricingSpace& space, const PricingWeights& weights, const PricingOptions& options)
      : options_(options),
        scalar_(weights.outputs == 1),
        searches_(scalar_ ? 2 : 1),
        tasks_(make_tasks<R>(space.ball, searches_)),
        shared_{space,
                weights,
                options,
                control_,
                std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                                       std::chrono::duration<double>(std::clamp(options.max_seconds, 0.0, 1e9))),
                rounding_of(space, weights)} {}

  std::size_t n_parts() const { return tasks_.cones.size() * searches_; }
  bool late() const { return std::chrono::steady_clock::now() > shared_.deadline; }

  /// A good price, the same whoever works.
  double dive(double incumbent) {
    std::vector<PricingPiece> parts(n_parts());
    for (std::size_t k = 0; k < parts.size(); ++k) parts[k].part = k;
    std::vector<double> out(parts.size());
    for_each({std::move(parts), incumbent}, [&](std::size_t k, const auto& cone, auto&& searcher) {
      searcher.dive(cone);
      out[k] = searcher.best();
    });
    return *std::max_element(out.begin(), out.end());
  }

  std::vector<PieceResult> search(const PricingWave& wave) {
    std::vector<PieceResult> out(wave.pieces.size());
    for_each(wave, [&](std::size_t k, const auto& cone, auto&& searcher) {
      const PricingPiece& piece = wave.pieces[k];
      if (options_.record) {
        searcher.search_recorded(cone, piece.max_nodes, static_cast<std::uint16_t>(tasks_.edges.size()), out[k].cover);
      } else {
        searcher.search(cone, piece, options_.slice);
      }
      out[k].upper = searcher.upper();
      out[k].best = searcher.best();
      out[k].complete = searcher.complete();
      out[k].late = searcher.late();
      out[k].nodes = searcher.nodes();
      out[k].directions = std::move(searcher.directions());
      out[k].open = std::move(searcher.open());
      std::erase_if(out[k].directions, [&](const PricedDirection& d) { return d.value <= options_.floor; });
      if (out[k].directions.size() > options_.n_best) keep_best(out[k].directions, options_.n_best);
    });
    return out;
  }

  /// The covers of all parts as trees of the fan, those for the price first.
  PricingCover joined(const std::vector<PieceResult>& parts) const {
    PricingCover out;
    const std::size_t fan = tasks_.cones.size() >> tasks_.edges.size();
    for (std::size_t search = 0; search < searches_; ++search) {
      for (std::size_t k = 0; k < fan; ++k) append(tasks_, 0, k, parts, searches_, search, out);
    }
    return out;
  }

 private:
  template <class Work>
  void for_each(const PricingWave& wave, Work&& work) {
    shared_.incumbent = wave.incumbent;
    const std::size_t n = wave.pieces.size();
    while (arenas_.size() < std::min<std::size_t>(thread_count(options_.n_threads), n)) arenas_.emplace_back(kArenaBytes);
    run_tasks(std::vector<double>(n, 1.0), options_.n_threads, control_, options_.hook, [&](std::size_t k, unsigned thread) {
      const PricingPiece& piece = wave.pieces[k];
      const SimplicialCone<R> cone = follow(tasks_.cones[piece.part / searches_], piece.cone.path);
      if (scalar_) {
        work(k, cone, PriceSearch<R, true>(shared_, piece.part % 2 == 1 ? -1 : 1, arenas_[thread]));
      } else {
        work(k, cone, PriceSearch<R, false>(shared_, 1, arenas_[thread]));
      }
    });
  }

  const PricingOptions& options_;
  bool scalar_;
  std::size_t searches_;
  Tasks<R> tasks_;
  Control control_;
  PriceShared shared_;
  std::vector<Arena> arenas_;
};

}  // namespace topes
