// Pricing: the fans cover space, bounds hold and meet what is found, limits and threads change nothing they must not.
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>

#include "check.hpp"
#include "topes/error.hpp"
#include "topes/pricing.hpp"

using namespace topes;
using namespace topes::test;

namespace {

struct Instance {
  PricingSpace space;
  std::size_t outputs;
  std::vector<double> bend;
  std::vector<double> linear;
  PricingWeights weights() const { return {outputs, bend, linear}; }
};

Instance random_instance(std::size_t m, std::size_t r, std::size_t outputs, Ball ball, std::uint64_t seed, bool integers) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  const auto number = [&] { return integers ? std::round(2 * normal(random)) : normal(random); };
  Instance out{{r, {}, ball, {}}, outputs, {}, {}};
  for (std::size_t i = 0; i < m * r; ++i) out.space.normals.push_back(number());
  for (std::size_t i = 0; i < r; ++i) out.space.scale.push_back(std::exp(normal(random)));
  for (std::size_t i = 0; i < m * outputs; ++i) out.bend.push_back(number());
  if (ball == Ball::prism || ball == Ball::cylinder) {  // nothing may grow along the last axis, nor bend beyond the ball
    double reach = 0;
    for (std::size_t k = 0; k < m; ++k) {
      double squares = 0;
      for (std::size_t i = 0; i + 1 < r; ++i) squares += std::pow(out.space.normals[k * r + i] * out.space.scale[i], 2);
      for (std::size_t i = 0; i + 1 < r; ++i) squares = std::max(squares, std::pow(out.space.normals[k * r + i], 2));
      reach = std::max(reach, std::sqrt(squares));
    }
    for (std::size_t c = 0; c < outputs; ++c) {
      double up = 0;
      for (std::size_t k = 0; k < m; ++k) {
        out.space.normals[k * r + r - 1] = reach;
        if (k + 1 < m) up += out.bend[k * outputs + c];
      }
      out.bend[(m - 1) * outputs + c] = -up;
    }
    out.linear.assign(outputs * r, 0.0);
  } else {
    for (std::size_t i = 0; i < outputs * r; ++i) out.linear.push_back(number());
  }
  return out;
}

double norm(const PricingSpace& s, const std::vector<double>& w) {
  double one = 0;
  double squares = 0;
  double most = 0;
  const std::size_t last = s.dimension - 1;
  for (std::size_t i = 0; i <= last; ++i) {
    const bool aside = i == last && (s.ball == Ball::prism || s.ball == Ball::cylinder);
    most = std::max(most, std::abs(w[i]));
    if (aside) continue;
    one += std::abs(w[i]);
    squares += (w[i] / s.scale[i]) * (w[i] / s.scale[i]);
  }
  switch (s.ball) {
    case Ball::euclidean: return std::sqrt(squares);
    case Ball::cross: return one;
    case Ball::cube: return most;
    case Ball::prism: return std::max(one, std::abs(w[last]));
    default: return std::max(std::sqrt(squares), std::abs(w[last]));
  }
}

double price_at(const Instance& in, const std::vector<double>& w) {
  const std::size_t r = in.space.dimension;
  double squares = 0;
  for (std::size_t c = 0; c < in.outputs; ++c) {
    double sum = 0;
    for (std::size_t i = 0; i < r; ++i) sum += in.linear[c * r + i] * w[i];
    for (std::size_t k = 0; k < in.space.size(); ++k) {
      double h = 0;
      for (std::size_t i = 0; i < r; ++i) h += in.space.normals[k * r + i] * w[i];
      if (h > 0) sum += in.bend[k * in.outputs + c] * h;
    }
    squares += sum * sum;
  }
  return std::sqrt(squares) / norm(in.space, w);
}

std::vector<double> random_direction(std::size_t r, std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  std::vector<double> w(r);
  for (double& x : w) x = normal(random);
  return w;
}

template <int R>
void check_fan(Fan fan) {
  std::mt19937_64 random(7);
  auto cones = make_fan<R>(fan);
  for (int round = 0; round < 3 && R > 1; ++round) {  // halves too
    std::vector<SimplicialCone<R>> halves;
    for (const auto& cone : cones) {
      const auto a = static_cast<std::size_t>(random() % R);
      const std::size_t b = (a + 1) % R;
      halves.push_back(half(cone, a, b));
      halves.push_back(half(cone, b, a));
    }
    cones = halves;
  }
  for (const auto& cone : cones) {
    for (std::size_t i = 0; i < R; ++i) {
      double height = 0;
      for (std::size_t k = 0; k < R; ++k) height += cone.height[k] * cone.vertex[i][k];
      CHECK(height == 1.0);
      for (std::size_t j = 0; j < R; ++j) {
        double product = 0;
        for (std::size_t k = 0; k < R; ++k) product += cone.dual[j][k] * cone.vertex[i][k];
        CHECK(product == (i == j ? 1.0 : 0.0));
      }
    }
  }
  for (int t = 0; t < 50; ++t) {
    const std::vector<double> w = random_direction(R, random);
    int holds = 0;
    for (const auto& cone : cones) {
      bool inside = true;
      for (std::size_t j = 0; j < R && inside; ++j) {
        double x = 0;
        for (std::size_t k = 0; k < R; ++k) x += cone.dual[j][k] * w[k];
        inside = x > 0;
      }
      holds += inside ? 1 : 0;
    }
    CHECK(holds == 1);
  }
}

// A recorded cover, read as another program would: leaves by replaying the cuts from the fan.
template <int R>
struct Replay {
  struct Leaf {
    SimplicialCone<R> cone;
    int sign;
  };
  std::vector<Leaf> leaves;
  std::size_t at = 0;

  Replay(const PricingCover& cover, Ball ball, const std::vector<int>& signs) {
    for (const int sign : signs) {
      for (const auto& root : make_fan<R>(ball == Ball::cube ? Fan::cube : ball == Ball::prism ? Fan::prism : Fan::cross)) {
        read(cover, root, sign, 0);
      }
    }
    CHECK(at == cover.split.size() && leaves.size() == cover.n_leaves);
  }
  void read(const PricingCover& cover, const SimplicialCone<R>& cone, int sign, int depth) {
    CHECK(at < cover.split.size() && cover.depth[at] == depth);
    const int split = cover.split[at++];
    if (split == 0) {
      leaves.push_back({cone, sign});
      return;
    }
    for (std::size_t i = 0; i < R; ++i) {
      for (std::size_t j = i + 1; j < R; ++j) {
        if (1 + edge_number<R>(i, j) != static_cast<std::size_t>(split)) continue;
        CHECK(can_halve(cone, i, j));
        read(cover, half(cone, i, j), sign, depth + 1);
        read(cover, half(cone, j, i), sign, depth + 1);
        return;
      }
    }
    CHECK(false);
  }
};

template <int R>
void check_cover(Ball ball, std::uint64_t seed, std::size_t outputs) {
  std::mt19937_64 random(seed);
  const Instance in = random_instance(4 + 3 * (seed % 5), R, outputs, ball, seed, seed % 2 == 1);
  const std::vector<int> signs = outputs == 1 ? std::vector<int>{1, -1} : std::vector<int>{1};
  PricingOptions options;
  options.n_threads = 1;
  options.tolerance = round(ball) && outputs == 1 ? 1e-9 : 1e-3;
  options.max_nodes = 100000;
  options.record = true;
  const PricingResult result = price(in.space, in.weights(), {}, options);
  const PricingCover& cover = result.cover;
  const Replay<R> replay(cover, ball, signs);
  CHECK(cover.c.size() == (round(ball) ? cover.n_leaves * R : 0));
  CHECK(cover.slope.size() == cover.slope_leaf.size() && cover.slope.size() == cover.slope_row.size());
  for (std::size_t k = 0; k < cover.slope.size(); ++k) {
    CHECK(cover.slope[k] >= 0 && cover.slope[k] <= 1 && cover.slope_leaf[k] < cover.n_leaves && cover.slope_row[k] < in.space.size());
  }
  for (int t = 0; t < 60; ++t) {
    const std::vector<double> w = random_direction(R, random);
    std::vector<double> at_w(outputs, 0.0);
    for (std::size_t c = 0; c < outputs; ++c) {
      for (std::size_t i = 0; i < R; ++i) at_w[c] += in.linear[c * R + i] * w[i];
      for (std::size_t k = 0; k < in.space.size(); ++k) {
        double h = 0;
        for (std::size_t i = 0; i < R; ++i) h += in.space.normals[k * R + i] * w[i];
        at_w[c] += in.bend[k * outputs + c] * std::max(h, 0.0);
      }
    }
    double price = at_w[0];  // of a sign; of several outputs the norm
    if (outputs > 1) price = std::sqrt(std::inner_product(at_w.begin(), at_w.end(), at_w.begin(), 0.0));
    for (const int sign : signs) {
      int holds = 0;
      for (std::size_t l = 0; l < replay.leaves.size(); ++l) {
        if (replay.leaves[l].sign != sign) continue;
        bool inside = true;
        for (std::size_t j = 0; j < R && inside; ++j) {
          double x = 0;
          for (std::size_t i = 0; i < R; ++i) x += replay.leaves[l].cone.dual[j][i] * w[i];
          inside = x > 0;
        }
        if (!inside) continue;
        ++holds;
        CHECK(sign * price <= result.upper * norm(in.space, w) * (1 + 1e-12) + 1e-300);
        if (!round(ball)) continue;
        double linear = 0;  // the leaf's own function is above the price but for what its bound adds for roundings
        for (std::size_t i = 0; i < R; ++i) linear += cover.c[l * R + i] * w[i];
        CHECK(sign * price <= linear + 1e-9 * (1 + result.upper) * norm(in.space, w));
      }
      CHECK(holds == 1);
    }
  }
  options.n_threads = 3;
  const PricingResult more = price(in.space, in.weights(), {}, options);
  CHECK(more.cover.split == cover.split && more.cover.depth == cover.depth && more.cover.c == cover.c);
  CHECK(more.cover.slope == cover.slope && more.cover.slope_leaf == cover.slope_leaf && more.cover.slope_row == cover.slope_row);
}

}  // namespace

TEST(fans_and_their_halves_hold_each_direction_once) {
  for (const Fan fan : {Fan::cross, Fan::cube, Fan::prism}) {
    check_fan<1>(fan);
    check_fan<2>(fan);
    check_fan<3>(fan);
    check_fan<4>(fan);
  }
}

TEST(no_direction_prices_above_the_bound_and_the_best_one_meets_it) {
  std::mt19937_64 random(11);
  for (const Ball ball : {Ball::euclidean, Ball::cylinder, Ball::cross, Ball::cube, Ball::prism}) {
    for (std::size_t r = 1; r <= 4; ++r) {
      if (r == 1 && (ball == Ball::prism || ball == Ball::cylinder)) continue;
      for (std::uint64_t seed = 0; seed < 6; ++seed) {
        const std::size_t outputs = seed % 3 == 2 ? 2 : 1;
        const Instance in = random_instance(3 + 2 * seed, r, outputs, ball, 100 * r + seed, seed % 2 == 1);
        PricingOptions options;
        options.tolerance = outputs == 1 ? 1e-9 : 1e-3;
        options.n_threads = 1;
        options.max_nodes = 200000;
        const PricingResult result = price(in.space, in.weights(), {}, options);
        for (int t = 0; t < 300; ++t) CHECK(price_at(in, random_direction(r, random)) <= result.upper);
        CHECK(result.best <= result.upper);
        if (round(ball)) {  // several outputs near a kink that bends downwards, or a polyhedral ball, may take more cones than this
          CHECK(result.complete || outputs > 1);
          CHECK(!result.complete || result.upper <= result.best * (1 + 2 * options.tolerance) + 1e-9);
        }
        for (const PricedDirection& d : result.directions) {
          CHECK(std::abs(norm(in.space, d.w) - 1) < 1e-12);
          CHECK(std::abs(price_at(in, d.w) - d.value) < 1e-9 * (1 + d.value));
        }
      }
    }
  }
}

TEST(threads_change_no_bit) {
  const Instance in = random_instance(200, 3, 1, Ball::euclidean, 5, false);
  PricingOptions options;
  options.keep = 0.7;
  options.n_threads = 1;
  const PricingResult one = price(in.space, in.weights(), {}, options);
  for (const unsigned threads : {2U, 7U}) {
    options.n_threads = threads;
    const PricingResult more = price(in.space, in.weights(), {}, options);
    CHECK(one.upper == more.upper && one.best == more.best && one.nodes == more.nodes);
    CHECK(one.directions.size() == more.directions.size());
    for (std::size_t k = 0; k < one.directions.size(); ++k) {
      CHECK(std::memcmp(one.directions[k].w.data(), more.directions[k].w.data(), 3 * sizeof(double)) == 0);
    }
  }
}

TEST(a_limit_leaves_a_bound_that_holds) {
  const Instance in = random_instance(300, 4, 1, Ball::euclidean, 9, false);
  PricingOptions options;
  options.n_threads = 1;
  const PricingResult full = price(in.space, in.weights(), {}, options);
  options.max_nodes = 16;
  const PricingResult few = price(in.space, in.weights(), {}, options);
  CHECK(full.complete && !few.complete);
  CHECK(few.upper >= full.best && few.upper > full.upper);
}

TEST(what_parts_leave_of_a_limit_serves_the_others) {
  const Instance in = random_instance(300, 4, 1, Ball::euclidean, 9, false);
  PricingOptions options;
  options.n_threads = 1;
  const PricingResult full = price(in.space, in.weights(), {}, options);
  options.max_nodes = 2 * full.nodes;
  const PricingResult even = price(in.space, in.weights(), {}, options);
  options.reallot = true;
  const PricingResult moved = price(in.space, in.weights(), {}, options);
  CHECK(!even.complete && moved.complete);
  CHECK(moved.upper <= full.upper * (1 + 1e-9) && moved.best == full.best);
  CHECK(moved.nodes <= 2 * options.max_nodes);
  for (const unsigned threads : {2U, 7U}) {
    options.n_threads = threads;
    const PricingResult again = price(in.space, in.weights(), {}, options);
    CHECK(again.upper == moved.upper && again.nodes == moved.nodes);
  }
  options.max_nodes = 16;
  const PricingResult few = price(in.space, in.weights(), {}, options);
  CHECK(!few.complete && few.upper >= full.best);
}

TEST(pieces_give_the_same_bits_wherever_they_are_searched) {
  std::size_t cut = 0;  // pieces of pieces
  for (const Ball ball : {Ball::euclidean, Ball::cylinder, Ball::cross, Ball::cube, Ball::prism}) {
    for (const std::size_t outputs : {1, 2}) {
      const Instance in = random_instance(40, 3, outputs, ball, 17, outputs == 2);
      PricingOptions options;
      options.n_threads = 2;
      options.keep = 0.5;
      options.tolerance = 1e-3;
      options.max_nodes = 60000;
      options.reallot = true;
      options.slice = 10;
      const auto elsewhere = [&](const PricingWave& wave) {  // one by one, the last first, some of them twice
        std::vector<PieceResult> found(wave.pieces.size());
        for (const PricingPiece& piece : wave.pieces) cut += piece.cone.path.empty() ? 0 : 1;
        for (std::size_t k = found.size(); k-- > 0;) {
          for (int t = 0; t < (k % 5 == 0 ? 2 : 1); ++t) {
            found[k] = search_pieces(in.space, in.weights(), options, {{wave.pieces[k]}, wave.incumbent}).front();
          }
        }
        return found;
      };
      const PricingResult here = price(in.space, in.weights(), {}, options);
      const PricingResult there = price(in.space, in.weights(), {}, options, elsewhere);
      CHECK(here.upper == there.upper && here.best == there.best && here.nodes == there.nodes && here.complete == there.complete);
      CHECK(here.directions.size() == there.directions.size() && !here.directions.empty());
      for (std::size_t k = 0; k < here.directions.size(); ++k) CHECK(here.directions[k].w == there.directions[k].w);
      options.record = true;
      options.max_nodes = 20000;
      const PricingResult recorded = price(in.space, in.weights(), {}, options);
      const PricingResult sent = price(in.space, in.weights(), {}, options, elsewhere);
      CHECK(recorded.upper == sent.upper && recorded.cover.split == sent.cover.split && recorded.cover.depth == sent.cover.depth);
      CHECK(recorded.cover.c == sent.cover.c && recorded.cover.slope == sent.cover.slope && recorded.cover.n_leaves == sent.cover.n_leaves);
    }
  }
  CHECK(cut > 200);
}

TEST(slices_change_the_order_of_the_work_and_bounds_hold) {
  std::mt19937_64 random(3);
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const Instance in = random_instance(60, 3, 1, seed % 2 == 1 ? Ball::cross : Ball::euclidean, seed, seed % 3 == 1);
    PricingOptions options;
    options.n_threads = 1;
    options.tolerance = 1e-6;
    options.max_nodes = 50000;
    const PricingResult whole = price(in.space, in.weights(), {}, options);
    for (const std::uint64_t slice : {1U, 7U, 100U}) {
      options.slice = slice;
      const PricingResult cut = price(in.space, in.weights(), {}, options);
      for (int t = 0; t < 200; ++t) CHECK(price_at(in, random_direction(3, random)) <= cut.upper);
      CHECK(cut.upper >= whole.best && whole.upper >= cut.best);
      if (whole.complete && cut.complete) {
        CHECK(std::abs(cut.upper - whole.upper) <= 3 * options.tolerance * whole.upper + 1e-9);
        CHECK(std::abs(cut.best - whole.best) <= 3 * options.tolerance * whole.best + 1e-9);
      }
      CHECK(cut.nodes <= options.max_nodes);
    }
    options.slice = kSlice;
  }
}

TEST(pieces_that_are_none_are_refused) {
  const Instance in = random_instance(20, 3, 1, Ball::euclidean, 9, false);
  const PricingOptions options;
  CHECK(part_vertices(in.space, 1).size() == 16 * 9 && part_vertices(in.space, 2).size() == 16 * 9);
  CHECK_THROWS(search_pieces(in.space, in.weights(), options, {{{16, {{}, INFINITY}, 10}}, 0.0}), InvalidArgument);
  CHECK_THROWS(search_pieces(in.space, in.weights(), options, {{{0, {{0}, INFINITY}, 10}}, 0.0}), InvalidArgument);
  CHECK_THROWS(search_pieces(in.space, in.weights(), options, {{{0, {{200}, INFINITY}, 10}}, 0.0}), InvalidArgument);
  CHECK_THROWS(price(in.space, in.weights(), {}, options, [](const PricingWave&) { return std::vector<PieceResult>(3); }),
               InvalidArgument);
  const auto none = [](const PricingWave& wave) {
    std::vector<PieceResult> found(wave.pieces.size());
    found.back().upper = std::nan("");
    return found;
  };
  CHECK_THROWS(price(in.space, in.weights(), {}, options, none), InvalidArgument);
}

TEST(a_piece_that_comes_late_has_a_bound) {
  const Instance in = random_instance(300, 4, 1, Ball::euclidean, 9, false);
  PricingOptions options;
  options.n_threads = 1;
  const PricingResult full = price(in.space, in.weights(), {}, options);
  const auto late = [&](const PricingWave& wave) {
    PricingOptions at_once = options;
    at_once.max_seconds = 0;
    return search_pieces(in.space, in.weights(), at_once, wave);
  };
  const PricingResult stopped = price(in.space, in.weights(), {}, options, late);
  CHECK(full.complete && !stopped.complete && stopped.upper >= full.best);
}

TEST(a_floor_above_all_prices_costs_little) {
  const Instance in = random_instance(300, 3, 1, Ball::euclidean, 9, false);
  PricingOptions options;
  options.n_threads = 1;
  const PricingResult full = price(in.space, in.weights(), {}, options);
  options.floor = 1.5 * full.best;
  const PricingResult floored = price(in.space, in.weights(), {}, options);
  CHECK(floored.directions.empty() && floored.upper <= options.floor && floored.upper >= full.best);
  CHECK(floored.nodes < full.nodes);
}

TEST(shapes_that_do_not_fit_are_refused) {
  Instance in = random_instance(5, 3, 1, Ball::euclidean, 1, false);
  in.bend.pop_back();
  CHECK_THROWS(price(in.space, in.weights(), {}, PricingOptions{}), InvalidArgument);
  const Instance large = random_instance(5, 9, 1, Ball::euclidean, 1, false);
  CHECK_THROWS(price(large.space, large.weights(), {}, PricingOptions{}), InvalidArgument);
}

TEST(a_recorded_cover_holds_each_direction_once_for_each_sign) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    for (const std::size_t outputs : {1, 2, 3}) {
      for (const Ball ball : {Ball::euclidean, Ball::cylinder, Ball::cross, Ball::cube, Ball::prism}) {
        check_cover<2>(ball, seed, outputs);
        if (outputs < 3) check_cover<3>(ball, seed, outputs);
      }
      for (const Ball ball : {Ball::euclidean, Ball::cross, Ball::cube}) check_cover<1>(ball, seed, outputs);
    }
    check_cover<4>(Ball::euclidean, seed, 1);
  }
}

TEST(recording_changes_nothing_when_not_asked_for) {
  for (const std::size_t outputs : {1, 2}) {
    const Instance in = random_instance(60, 3, outputs, Ball::euclidean, 3, false);
    PricingOptions options;
    options.record = true;
    options.n_threads = 1;
    const PricingResult recorded = price(in.space, in.weights(), {}, options);
    options.record = false;
    const PricingResult plain = price(in.space, in.weights(), {}, options);
    CHECK(plain.cover.split.empty() && !recorded.cover.split.empty());
    CHECK(recorded.upper <= plain.upper * (1 + 2 * options.tolerance) && plain.upper <= recorded.upper * (1 + 2 * options.tolerance));
  }
}
