#include "topes/line_minimum.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace topes {

namespace {

constexpr int kTrials = 60;
constexpr double kFlat = 1e-9;       // share of the first slope that is none
constexpr double kRounding = 1e-15;  // of values: near the end slopes tell more
constexpr double kNarrow = 1e-15;    // share of its end that an interval is never narrower than

// A total order, so that which bends come first never depends on how they are partitioned.
bool before(const Bend& a, const Bend& b) { return std::tie(a.at, a.block, a.row) < std::tie(b.at, b.block, b.row); }

class Search {
 public:
  Search(const Line& line, std::span<Bend> bends, std::size_t pool, const SmoothLoss& loss, double beta)
      : line_(line), bends_(bends), pool_(pool), loss_(loss), beta_(beta), offset_(line.outputs), slope_(line.slopes),
        f_(line.outputs.size()), d_(line.outputs.size()) {}

  std::optional<LineMinimum> run();

 private:
  std::size_t sample_of(const Bend& bend) const { return pool_ == 1 ? bend.row : bend.row / pool_; }  // a division is slow
  // Value and slope at t with the first `count` bends behind; those before low_ are in offset_ and slope_ already.
  SmoothLoss::Along look(double t, std::size_t count) {
    d_ = slope_;
    for (std::size_t i = 0; i < f_.size(); ++i) f_[i] = offset_[i] + t * d_[i];
    for (std::size_t k = low_; k < count; ++k) {
      const std::size_t sample = sample_of(bends_[k]);
      d_[sample] += bends_[k].by;
      f_[sample] += bends_[k].by * (t - bends_[k].at);
    }
    SmoothLoss::Along out = loss_.along(f_, d_);
    for (std::size_t j = 0; j < line_.zz.size(); ++j) {
      const double norm = std::sqrt(std::max(line_.zz[j] + t * (2.0 * line_.zd[j] + t * line_.dd[j]), 1e-300));
      out.value += beta_ * norm;
      out.slope += beta_ * (line_.zd[j] + t * line_.dd[j]) / norm;
    }
    return out;
  }
  void leave_behind(std::size_t count) {
    for (; low_ < count; ++low_) {
      const std::size_t sample = sample_of(bends_[low_]);
      slope_[sample] += bends_[low_].by;
      offset_[sample] -= bends_[low_].by * bends_[low_].at;
    }
  }

  const Line& line_;
  std::span<Bend> bends_;
  std::size_t pool_;
  const SmoothLoss& loss_;
  double beta_;
  std::size_t low_ = 0;
  std::vector<double> offset_;  // outputs are offset + t * slope
  std::vector<double> slope_;
  std::vector<double> f_;
  std::vector<double> d_;
};

std::optional<LineMinimum> Search::run() {
  const std::size_t count = bends_.size();
  const auto [start_value, first] = look(0.0, 0);
  if (!(first < 0)) return std::nullopt;
  const double start = start_value + kRounding * std::abs(start_value);
  const SmoothLoss::Along end = look(line_.most, count);
  if (end.slope <= 0 && end.value <= start) return LineMinimum{line_.most, std::nullopt};
  // Place k is the bend k - 1, place 0 the start, place count + 1 the end. The slope is negative behind place low_ and the value no
  // higher than at the start; not so at place `high`. Each look puts the bends of one place where they belong.
  std::size_t high = count + 1;
  const auto place = [&](std::size_t k) { return k == 0 ? 0.0 : k > count ? line_.most : bends_[k - 1].at; };
  while (high - low_ > 1) {
    const std::size_t middle = (low_ + high) / 2;
    const auto at = [&](std::size_t k) { return bends_.begin() + static_cast<std::ptrdiff_t>(k); };
    std::nth_element(at(low_), at(middle - 1), at(high - 1), before);
    const double t = place(middle);  // bends at one place are passed together
    const auto first_here = std::partition(at(low_), at(middle - 1), [&](const Bend& b) { return b.at < t; });
    const auto behind = std::partition(at(middle), at(high - 1), [&](const Bend& b) { return b.at <= t; });
    const auto passed = static_cast<std::size_t>(behind - bends_.begin());
    const SmoothLoss::Along here = look(t, passed);
    if (here.slope < 0 && here.value <= start) {
      leave_behind(passed);
    } else {
      high = static_cast<std::size_t>(first_here - bends_.begin()) + 1;
    }
  }
  double a = place(low_);
  double b = place(high);
  const SmoothLoss::Along up_to = look(b, low_);
  if (up_to.slope < 0 && high <= count && up_to.value <= start) return LineMinimum{b, bends_[high - 1]};
  double slope_a = look(a, low_).slope;
  double slope_b = up_to.slope;
  double t = a;
  for (int k = 0; k < kTrials; ++k) {  // false position, kept away from the ends
    t = slope_b > 0 ? a + (b - a) * (slope_a / (slope_a - slope_b)) : 0.5 * (a + b);
    t = std::min(std::max(t, a + 0.02 * (b - a)), b - 0.02 * (b - a));
    const SmoothLoss::Along here = look(t, low_);
    if (here.slope < 0 && here.value <= start) {
      a = t;
      slope_a = here.slope;
    } else {
      b = t;
      slope_b = here.slope;
    }
    if (std::abs(here.slope) <= kFlat * std::abs(first) || b - a <= kNarrow * b) break;
  }
  if (look(t, low_).value <= start) return LineMinimum{t, std::nullopt};
  if (a > 0) return LineMinimum{a, std::nullopt};
  return std::nullopt;
}

}  // namespace

std::optional<LineMinimum> line_minimum(const Line& line, std::span<Bend> bends, std::size_t pool, const SmoothLoss& loss,
                                        double beta) {
  return Search(line, bends, pool, loss, beta).run();
}

}  // namespace topes
