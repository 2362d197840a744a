#include "topes/sample.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "topes/error.hpp"
#include "topes/pattern_table.hpp"

namespace topes {

namespace {

// What the third and fourth word of a counter say: the attempt, and what the numbers are for.
enum class Stream : std::uint64_t { entries = 0, place = 1 };

std::uint64_t most_words(std::size_t n_rows) { return std::max<std::size_t>(1, (n_rows + 63) / 64); }

// Everything one thread needs for a block of samples.
class Sampler {
 public:
  Sampler(const SampleRows& rows, const Support& support, const SampleOptions& options, PatternTable& table, Control& control)
      : rows_(rows), support_(support), options_(options), table_(table), control_(control),
        kernels_(sample_kernels(options.kernel)), k_(support.size()), words_(most_words(rows.n_rows())),
        n_nonzero_(rows.n_nonzero()) {
    const std::size_t block = block_size(rows.n_rows(), k_);
    w_.resize(block * k_);
    place_.resize(block);
    order_.resize(block);
    patterns_.resize(block * words_);
    packed_w_.resize(block * k_);
    tolerance_.resize(block);
    columns_.resize(k_);
    doubts_.resize(rows.n_panels() * kLargestGroup);
  }

  /// Samples of a block: few enough for their directions and patterns to stay in a cache.
  static std::size_t block_size(std::size_t n_rows, std::size_t k) {
    constexpr std::size_t kBytes = 1 << 20;
    const std::size_t each = (sizeof(double) + sizeof(float)) * k + 8 * most_words(n_rows);
    return std::clamp<std::size_t>(kBytes / each / kLargestGroup, 1, 80) * kLargestGroup;
  }

  void run(std::uint64_t first, std::size_t count, unsigned thread) {
    for (std::size_t s = 0; s < count; ++s) {
      place_[s] = static_cast<std::uint32_t>(draw_direction(support_, options_.key, first + s, 0, w_.data() + s * k_));
    }
    std::iota(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(count), 0U);
    if (support_.places.size() > 1) {
      std::sort(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(count), [this](std::uint32_t a, std::uint32_t b) {
        return std::pair(place_[a], a) < std::pair(place_[b], b);
      });
    }
    std::fill_n(patterns_.begin(), count * words_, 0);
    redraw_.clear();
    for (std::size_t begin = 0, end = 0; begin < count; begin = end) {
      const std::uint32_t place = place_[order_[begin]];
      for (end = begin; end < count && place_[order_[end]] == place;) ++end;
      set_columns(place);
      run_at_place({order_.data() + begin, end - begin});
    }
    std::sort(redraw_.begin(), redraw_.end());
    redraw_.erase(std::unique(redraw_.begin(), redraw_.end()), redraw_.end());
    for (const std::uint32_t s : redraw_) draw_again(first + s, s);
    counters.signs += count * n_nonzero_;
    table_.insert(patterns_.data(), count, [first](std::size_t s) { return first + s; }, thread, control_, hashes_, by_shard_);
  }

  SampleCounters counters;

 private:
  void set_columns(std::uint32_t place) {
    for (std::size_t t = 0; t < support_.offsets.size(); ++t) columns_[t] = support_.offsets[t] + support_.places[place];
    std::copy(support_.always.begin(), support_.always.end(),
              columns_.begin() + static_cast<std::ptrdiff_t>(support_.offsets.size()));
  }

  void run_at_place(std::span<const std::uint32_t> samples) {
    const std::size_t group = kernels_.group_size;
    const std::size_t grouped = samples.size() / group * group;
    // Entry after entry of each group; single samples lie as they are.
    for (std::size_t s = 0; s < samples.size(); ++s) {
      const double* w = w_.data() + samples[s] * k_;
      const bool in_group = s < grouped;
      float* to = packed_w_.data() + (in_group ? s / group * group * k_ + s % group : s * k_);
      const std::size_t step = in_group ? group : 1;
      double square = 0;
      for (std::size_t t = 0; t < k_; ++t) {
        square += w[t] * w[t];
        to[t * step] = static_cast<float>(w[t]);
      }
      tolerance_[s] = single_tolerance(std::sqrt(square));
    }
    // Rows that stay in a near cache together are used together.
    constexpr std::size_t kCache = 1 << 17;
    const std::size_t panels = rows_.n_panels();
    const std::size_t at_once = std::max<std::size_t>(1, kCache / (sizeof(float) * SampleRows::kPanel * std::max<std::size_t>(k_, 1)));
    const KernelRows view = rows_.view(columns_);
    for (std::size_t first = 0; first < panels; first += at_once) {
      control_.poll();
      const std::size_t last = std::min(first + at_once, panels);
      for (std::size_t s = 0; s < samples.size();) {
        const std::size_t size = s < grouped ? group : 1;
        std::uint64_t* patterns[kLargestGroup];
        for (std::size_t t = 0; t < size; ++t) patterns[t] = patterns_.data() + samples[s + t] * words_;
        const std::size_t n_doubts = (size == group ? kernels_.group : kernels_.one)(
            view, first, last, packed_w_.data() + s * k_, tolerance_.data() + s, patterns, doubts_.data());
        for (std::size_t i = 0; i < n_doubts; ++i) resolve(doubts_[i], samples[s + doubts_[i].direction]);
        s += size;
      }
    }
  }

  // Rows have norm at most 1. One rounding of each entry of the row, of the direction and of each product, one for each sum;
  // entries below 2^-126 lose up to 2^-150, times less than 16. 1.02 covers the roundings of this line and of the rows' norms.
  float single_tolerance(double norm) const {
    const auto terms = static_cast<double>(k_);
    const double relative = (terms + 3.0) * 0x1p-24;
    if (relative > 0x1p-7) return std::numeric_limits<float>::infinity();
    return static_cast<float>(1.02 * relative * norm + terms * 0x1p-140);
  }

  // Exact signs where the kernel could not tell.
  void resolve(const KernelDoubt& doubt, std::uint32_t s) {
    for (std::uint32_t rows = doubt.rows; rows != 0; rows &= rows - 1) {
      const std::size_t i = doubt.panel * SampleRows::kPanel + static_cast<unsigned>(std::countr_zero(rows));
      ++counters.double_signs;
      const auto sign = rows_.sign(i, columns_, w_.data() + s * k_, counters.exact_signs);
      if (sign == Sign::zero) redraw_.push_back(s);
      const std::uint64_t bit = std::uint64_t{1} << (i % 64);
      std::uint64_t& word = patterns_[s * words_ + i / 64];
      word = sign == Sign::negative ? word & ~bit : word | bit;
    }
  }

  // The direction lay on a hyperplane: the next one of its own stream, row by row. Ends with probability 1.
  void draw_again(std::uint64_t sample, std::uint32_t s) {
    std::uint64_t* pattern = patterns_.data() + s * words_;
    for (std::uint64_t attempt = 1;; ++attempt) {
      if (attempt == 1) ++counters.redrawn;
      control_.poll();
      double* w = w_.data() + s * k_;
      set_columns(static_cast<std::uint32_t>(draw_direction(support_, options_.key, sample, attempt, w)));
      bool on_hyperplane = false;
      std::fill_n(pattern, words_, 0);
      for (std::size_t i = 0; i < rows_.n_rows() && !on_hyperplane; ++i) {
        ++counters.double_signs;
        const auto sign = rows_.sign(i, columns_, w, counters.exact_signs);
        on_hyperplane = sign == Sign::zero;
        if (sign != Sign::negative) pattern[i / 64] |= std::uint64_t{1} << (i % 64);
      }
      if (!on_hyperplane) return;
    }
  }

  const SampleRows& rows_;
  const Support& support_;
  const SampleOptions& options_;
  PatternTable& table_;
  Control& control_;
  SampleKernels kernels_;
  std::size_t k_;
  std::size_t words_;
  std::uint64_t n_nonzero_;
  std::vector<double> w_;
  std::vector<std::uint32_t> place_;
  std::vector<std::uint32_t> order_;
  std::vector<std::uint64_t> patterns_;
  std::vector<float> packed_w_;
  std::vector<float> tolerance_;
  std::vector<std::uint32_t> columns_;
  std::vector<KernelDoubt> doubts_;
  std::vector<std::uint32_t> redraw_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint32_t> by_shard_;
};

// Bytes as in PatternBits, whatever the order of bytes in a word of the machine.
void append_packed(const std::uint64_t* words, std::size_t bytes, std::vector<std::uint8_t>& out) {
  if constexpr (std::endian::native == std::endian::little) {
    const auto* first = reinterpret_cast<const std::uint8_t*>(words);
    out.insert(out.end(), first, first + bytes);
  } else {
    for (std::size_t b = 0; b < bytes; ++b) out.push_back(static_cast<std::uint8_t>(words[b / 8] >> (8 * (b % 8))));
  }
}

}  // namespace

void Support::check() const {
  if (places.empty()) throw InvalidArgument("a support needs a place");
  const std::uint64_t far = *std::max_element(places.begin(), places.end());
  for (const std::uint32_t offset : offsets) {
    if (offset + far >= n_columns) throw InvalidArgument("a support must lie within the columns");
  }
  for (const std::uint32_t column : always) {
    if (column >= n_columns) throw InvalidArgument("a support must lie within the columns");
  }
}

Support Support::everywhere(std::size_t n_columns) {
  Support all{n_columns, std::vector<std::uint32_t>(n_columns), {0}, {}};
  std::iota(all.offsets.begin(), all.offsets.end(), 0U);
  return all;
}

std::size_t draw_direction(const Support& support, const PhiloxKey& key, std::uint64_t sample, std::uint64_t attempt,
                           double* out) {
  const std::size_t k = support.size();
  const auto stream = [&](Stream s, std::uint64_t block) {
    return philox({block, sample, attempt, static_cast<std::uint64_t>(s)}, key);
  };
  std::size_t t = 0;
  for (; t + 4 <= k; t += 4) gaussians(stream(Stream::entries, t / 4), out + t);
  if (t < k) {
    double last[4];
    gaussians(stream(Stream::entries, t / 4), last);
    for (std::size_t u = 0; u < k - t; ++u) out[t + u] = last[u];  // fewer than four: no call
  }
  if (support.places.size() == 1) return 0;
  // The upper word of a product: uniform up to a share of places / 2^64.
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::size_t>((static_cast<Wide>(stream(Stream::place, 0)[0]) * support.places.size()) >> 64U);
}

std::uint64_t sample_bytes_per_pattern(std::size_t n_rows) {
  return PatternTable::bytes_per_pattern(most_words(n_rows)) + packed_bytes(n_rows) + 2 * sizeof(std::int64_t) + 16;
}

SampledPatterns sample_patterns(const SampleRows& rows, const Support& support, const SampleOptions& options) {
  if (support.n_columns != rows.n_columns()) throw InvalidArgument("a support must have the columns of the rows");
  support.check();
  if (options.count > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) - options.first) {
    throw InvalidArgument("samples are numbered below 2^63");
  }
  PatternTable table(most_words(rows.n_rows()));
  Control control;
  control.max_cells = options.max_patterns;
  const std::uint64_t block = Sampler::block_size(rows.n_rows(), support.size());
  const std::uint64_t n_blocks = (options.count + block - 1) / block;
  constexpr std::uint64_t kMostTasks = 4096;
  const std::uint64_t n_tasks = std::min(n_blocks, kMostTasks);
  std::vector<std::unique_ptr<Sampler>> samplers(thread_count(options.n_threads));
  run_tasks(std::vector<double>(n_tasks, 1.0), options.n_threads, control, options.hook, [&](std::size_t task, unsigned thread) {
    if (!samplers[thread]) samplers[thread] = std::make_unique<Sampler>(rows, support, options, table, control);
    __extension__ using Wide = unsigned __int128;
    const auto share = [&](std::uint64_t t) { return static_cast<std::uint64_t>(static_cast<Wide>(n_blocks) * t / n_tasks); };
    for (std::uint64_t b = share(task); b < share(task + 1); ++b) {
      samplers[thread]->run(options.first + b * block, static_cast<std::size_t>(std::min(block, options.count - b * block)), thread);
    }
  });
  SampledPatterns out;
  const std::uint64_t n = table.size();
  const std::size_t bytes = packed_bytes(rows.n_rows());
  out.packed.reserve(n * bytes);
  out.counts.reserve(n);
  out.first.reserve(n);
  table.for_each_by_first([&](const std::uint64_t* words, const Occurrence& o) {
    append_packed(words, bytes, out.packed);
    out.counts.push_back(static_cast<std::int64_t>(o.count));
    out.first.push_back(static_cast<std::int64_t>(o.first));
  });
  for (const auto& sampler : samplers) {
    if (sampler) out.counters += sampler->counters;
  }
  return out;
}

}  // namespace topes
