#include "topes/cells.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "topes/cell_writer.hpp"
#include "topes/error.hpp"

namespace topes {

namespace {

constexpr std::uint64_t kQueuedBytes = std::uint64_t{1} << 26;  // how far the threads may run ahead

// The cell of an arrangement without hyperplanes: all of space, every row on its positive side.
CellBatch whole_space(const Arrangement& a, bool geometry) {
  CellBatch batch;
  batch.n_cells = 1;
  batch.packed.assign(a.initial_bits().data(), a.initial_bits().data() + packed_bytes(a.n_rows()));
  if (geometry) {
    batch.witnesses.assign(a.n_columns(), 0.0);
    batch.facet_indptr.push_back(0);
    batch.ray_indptr.push_back(0);
    batch.bounded.push_back(a.n_columns() == 0 ? 1 : 0);
  }
  return batch;
}

template <class T>
void take_front(std::vector<T>& to, const std::vector<T>& from, std::uint64_t first, std::uint64_t n, std::size_t width) {
  if (from.empty()) return;
  const auto begin = from.begin() + static_cast<std::ptrdiff_t>(first * width);
  to.insert(to.end(), begin, begin + static_cast<std::ptrdiff_t>(n * width));
}

template <class T>
void take_lists(std::vector<std::int64_t>& to_indptr, std::vector<T>& to, const std::vector<std::int64_t>& indptr,
                const std::vector<T>& from, std::uint64_t first, std::uint64_t n, std::size_t width) {
  if (indptr.size() == 1) return;
  const std::int64_t begin = indptr[first];
  const std::int64_t shift = to_indptr.back() - begin;
  for (std::uint64_t k = 1; k <= n; ++k) to_indptr.push_back(indptr[first + k] + shift);
  take_front(to, from, static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(indptr[first + n] - begin), width);
}

}  // namespace

CellStream::CellStream(std::shared_ptr<const Arrangement> arrangement, const StreamOptions& options)
    : a_(std::move(arrangement)), options_(options) {
  if (options.batch_size == 0) throw InvalidArgument("batch_size must be at least 1");
  control_.max_cells = options.max_cells;
  driver_ = std::thread([this] { run(); });
}

CellStream::~CellStream() { close(); }

void CellStream::close() {
  {
    const std::scoped_lock lock(mutex_);
    control_.cancelled = true;
  }
  changed_.notify_all();
  if (driver_.joinable()) driver_.join();
  queues_.clear();
  rest_ = CellBatch{};
  rest_first_ = 0;
}

PredicateCounters CellStream::counters() const {
  const std::scoped_lock lock(mutex_);
  return counters_;
}

void CellStream::run() {
  try {
    if (a_->rank() == 0) {
      control_.add_cells(1);
      {
        const std::scoped_lock lock(mutex_);
        queues_.resize(1);
      }
      push(0, whole_space(*a_, options_.geometry));
    } else {
      const Plan plan = make_plan(*a_, control_, {});
      {
        const std::scoped_lock lock(mutex_);
        queues_.resize(plan.tasks.size());
        weights_ = plan.weights();
        total_weight_ = 0;
        for (const double w : weights_) total_weight_ += w;
      }
      const auto walk = [&]<int R, bool Geometry>() {
        auto flush_to = [this](std::size_t task) {
          return [this, task](CellBatch&& chunk) {
            control_.add_cells(chunk.n_cells);
            push(task, std::move(chunk));
          };
        };
        using Writer = CellWriter<R, Geometry, decltype(flush_to(0))>;
        WalkOptions options;
        options.n_threads = options_.n_threads;
        const PredicateCounters counters = walk_plan<R, Writer>(
            *a_, plan, control_, options,
            [&](std::size_t task, auto& tree) { return Writer(*a_, tree, flush_to(task)); },
            [&](std::size_t task, Writer& writer) {
              writer.flush();
              const std::scoped_lock lock(mutex_);
              queues_[task].finished = true;
              done_weight_ += weights_[task];
              changed_.notify_all();
            });
        const std::scoped_lock lock(mutex_);
        counters_ = counters;
      };
      dispatch_rank(a_->rank(), [&]<int R>() {
        if (options_.geometry) {
          walk.template operator()<R, true>();
        } else {
          walk.template operator()<R, false>();
        }
      });
    }
  } catch (...) {
    const std::scoped_lock lock(mutex_);
    failure_ = std::current_exception();
  }
  const std::scoped_lock lock(mutex_);
  finished_ = true;
  changed_.notify_all();
}

// Waits while too much is queued, unless this is the task whose chunks come next: somebody waits for them.
void CellStream::push(std::size_t task, CellBatch&& chunk) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] {
    return control_.cancelled || queued_bytes_ < kQueuedBytes || (task == head_ && queues_[task].ready.empty());
  });
  control_.poll();
  queued_bytes_ += chunk.bytes();
  queues_[task].ready.push_back(std::move(chunk));
  changed_.notify_all();
}

// The next chunk in order, if it is there. \pre the lock is held
bool CellStream::take(CellBatch& out) {
  while (head_ < queues_.size()) {
    Queue& queue = queues_[head_];
    if (!queue.ready.empty()) {
      out = std::move(queue.ready.front());
      queue.ready.pop_front();
      queued_bytes_ -= out.bytes();
      changed_.notify_all();
      return true;
    }
    if (!queue.finished) return false;
    ++head_;
    changed_.notify_all();
  }
  return false;
}

CellBatch CellStream::next(const ProgressHook& hook) {
  CellBatch out;
  const std::size_t n_points = a_->n_columns() - (a_->affine() ? 1 : 0);
  while (out.n_cells < options_.batch_size) {
    if (rest_first_ == rest_.n_cells) {
      std::unique_lock lock(mutex_);
      bool found = false;
      for (;;) {
        if (failure_) std::rethrow_exception(failure_);
        found = take(rest_);
        if (found || finished_) break;
        // A thread that failed cancels the others before the failure is known here: wake those that wait to push, and wait for it.
        if (control_.cancelled) changed_.notify_all();
        changed_.wait_for(lock, std::chrono::milliseconds(50));
        if (hook) {
          const double fraction = std::min(done_weight_ / total_weight_, 1.0);
          const std::uint64_t cells = delivered_;
          lock.unlock();
          hook(fraction, cells);
          lock.lock();
        }
      }
      rest_first_ = 0;
      if (!found) {
        rest_ = CellBatch{};
        break;
      }
    }
    const std::uint64_t n = std::min(options_.batch_size - out.n_cells, rest_.n_cells - rest_first_);
    take_front(out.packed, rest_.packed, rest_first_, n, packed_bytes(a_->n_rows()));
    take_front(out.witnesses, rest_.witnesses, rest_first_, n, n_points);
    take_front(out.bounded, rest_.bounded, rest_first_, n, 1);
    take_lists(out.facet_indptr, out.facets, rest_.facet_indptr, rest_.facets, rest_first_, n, 1);
    take_lists(out.ray_indptr, out.rays, rest_.ray_indptr, rest_.rays, rest_first_, n, a_->n_columns());
    rest_first_ += n;
    out.n_cells += n;
  }
  double fraction = 1.0;
  {
    const std::scoped_lock lock(mutex_);
    delivered_ += out.n_cells;
    fraction = std::min(done_weight_ / total_weight_, 1.0);
  }
  if (hook) hook(fraction, delivered_);
  return out;
}

PackedCells pack_tasks(const Arrangement& a, const Plan& plan, TaskRange range, std::uint64_t max_cells,
                       const WalkOptions& options) {
  PackedCells out;
  Control control;
  control.max_cells = max_cells;
  std::vector<std::vector<std::uint8_t>> parts(range.last - range.first);
  const auto keep_at = [&](std::size_t task) {
    return [&control, part = &parts[task - range.first]](CellBatch&& chunk) {
      control.add_cells(chunk.n_cells);
      part->insert(part->end(), chunk.packed.begin(), chunk.packed.end());
    };
  };
  dispatch_rank(a.rank(), [&]<int R>() {
    using Writer = CellWriter<R, false, decltype(keep_at(0))>;
    out.counters = walk_tasks<R, Writer>(
        a, plan, range, control, options, [&](std::size_t task, auto& tree) { return Writer(a, tree, keep_at(task)); },
        [](std::size_t, Writer& writer) { writer.flush(); });
  });
  out.n_cells = control.cells;
  out.packed.reserve(out.n_cells * packed_bytes(a.n_rows()));
  for (std::vector<std::uint8_t>& part : parts) {
    out.packed.insert(out.packed.end(), part.begin(), part.end());
    part = {};
  }
  return out;
}

std::optional<ExactCone> find_cell(const Arrangement& a, std::span<const std::uint8_t> packed, bool with_rays) {
  const auto bit = [&](std::size_t i) { return ((packed[i / 8] >> (i % 8)) & 1U) != 0; };
  ExactCone out;
  for (std::size_t i = 0; i < a.n_rows(); ++i) {  // rows on one hyperplane, and zero rows, have no choice
    const std::int64_t h = a.hyperplane_of(i);
    if (h < 0) {
      if (!bit(i)) return std::nullopt;
      continue;
    }
    const bool at_infinity = a.affine() && h == 0;
    const bool side = at_infinity ? true : bit(a.representative(static_cast<std::size_t>(h))) ==
                                           (a.orientation(a.representative(static_cast<std::size_t>(h))) > 0);
    if (bit(i) != ((a.orientation(i) > 0) == side)) return std::nullopt;
  }
  if (a.rank() == 0) {
    out.rays = IntegerMatrix(0, a.n_columns());
    return out;
  }
  const auto positive = [&](std::uint32_t h) {
    if (a.affine() && h == 0) return true;
    return bit(a.representative(h)) == (a.orientation(a.representative(h)) > 0);
  };
  const bool antipode = !positive(0);  // the walk stays on the positive side of hyperplane 0
  const auto side = [&](std::uint32_t h) { return positive(h) != antipode; };
  bool found = true;
  dispatch_rank(a.rank(), [&]<int R>() {
    Control control;
    ConeSplitter<R> splitter(a, control);
    const auto r = static_cast<std::uint32_t>(a.rank());
    if (r > 64) throw CellLimit(~std::uint64_t{0});
    std::uint64_t root = 0;
    for (std::uint32_t k = 1; k < r; ++k) {
      if (!side(k)) root |= std::uint64_t{1} << (r - 1 - k);
    }
    Node node = splitter.root(root);
    for (;;) {
      for (std::uint32_t i = 0; i < node.n_decided && found; ++i) {
        found = side(node.decided[i].index()) != node.decided[i].negative();
      }
      if (!found || node.n_list == 0) break;
      splitter.split(node);
      node = splitter.child(node, side(node.list[0]) ? 1 : -1, true);
    }
    if (!found) return;
    if (with_rays) out.rays = IntegerMatrix(node.cone.n_rays, a.n_columns());
    for (std::uint32_t k = 0; k < node.cone.n_rays && with_rays; ++k) {
      const std::vector<Integer>& exact = splitter.exact_ray(node.cone, k);
      for (std::size_t j = 0; j < exact.size(); ++j) {
        out.rays.row(k)[a.pivot_columns()[j]] = antipode ? Integer(-exact[j]) : exact[j];
      }
    }
    std::vector<std::int64_t> facets;
    facets_of(a, node.cone, facets);
    out.facets.assign(facets.begin(), facets.end());
  });
  if (!found) return std::nullopt;
  return out;
}

}  // namespace topes
