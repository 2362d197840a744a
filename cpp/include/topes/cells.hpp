// Cells with their geometry: streamed in batches, or one by its pattern.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "topes/plan.hpp"

namespace topes {

/// Consecutive cells, in the order of the walk; antipodes side by side where the arrangement is central.
/// The lists are in compressed sparse row form: those of cell k are [indptr[k], indptr[k + 1]).
struct CellBatch {
  std::uint64_t n_cells = 0;
  std::vector<std::uint8_t> packed;         ///< packed_bytes(n) for each cell
  std::vector<double> witnesses;            ///< a point of each cell, rounded: n_columns numbers (affine: one less)
  std::vector<std::int64_t> facet_indptr{0};
  std::vector<std::int64_t> facets;         ///< the row that names the hyperplane, ascending
  std::vector<std::int64_t> ray_indptr{0};
  std::vector<double> rays;                 ///< n_columns each; affine: vertices end in 1, directions in 0
  std::vector<std::uint8_t> bounded;

  std::uint64_t bytes() const {
    return packed.size() + 8 * (witnesses.size() + facet_indptr.size() + facets.size() + ray_indptr.size() + rays.size()) +
           bounded.size();
  }
};

struct StreamOptions {
  std::uint64_t batch_size = 1 << 16;
  bool geometry = true;  ///< false: packed patterns only, which is faster
  unsigned n_threads = 0;
  std::uint64_t max_cells = ~std::uint64_t{0};
};

/// The walk behind an iterator: threads run ahead by a bounded amount of memory.
class CellStream {
 public:
  /// \pre batch_size >= 1. The arrangement outlives the stream by being shared.
  CellStream(std::shared_ptr<const Arrangement> arrangement, const StreamOptions& options);
  ~CellStream();
  CellStream(const CellStream&) = delete;
  CellStream& operator=(const CellStream&) = delete;

  /// The next batch: batch_size cells, fewer only at the end, none after it. The hook is called while waiting; what it throws, and
  /// what stopped the walk, passes through.
  CellBatch next(const ProgressHook& hook);
  /// Stop the walk and free what it took. next() returns empty batches afterwards.
  void close();
  PredicateCounters counters() const;

 private:
  struct Queue {
    std::deque<CellBatch> ready;
    bool finished = false;
  };
  void run();
  void push(std::size_t task, CellBatch&& chunk);
  bool take(CellBatch& out);

  std::shared_ptr<const Arrangement> a_;
  StreamOptions options_;
  Control control_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Queue> queues_;
  std::vector<double> weights_;
  std::size_t head_ = 0;            // the task whose chunks come next
  std::uint64_t queued_bytes_ = 0;
  double total_weight_ = 1, done_weight_ = 0;
  std::uint64_t delivered_ = 0;
  bool finished_ = false;
  std::exception_ptr failure_;
  PredicateCounters counters_;
  CellBatch rest_;                  // of the chunk at hand
  std::uint64_t rest_first_ = 0;
  std::thread driver_;
};

/// Packed patterns of the cells of some tasks of a plan, packed_bytes(n) each; those of all tasks one after the other are what
/// a CellStream gives. The counters leave out the plan's own.
/// \pre arrangement.rank() >= 1, the plan is of this arrangement. \throws CellLimit beyond max_cells
struct PackedCells {
  std::uint64_t n_cells = 0;
  std::vector<std::uint8_t> packed;
  PredicateCounters counters;
};
PackedCells pack_tasks(const Arrangement& arrangement, const Plan& plan, TaskRange range, std::uint64_t max_cells,
                       const WalkOptions& options);

/// One cell, exactly.
struct ExactCone {
  IntegerMatrix rays;                   ///< primitive, n_columns each, zero outside the pivot columns
  std::vector<std::size_t> facets;      ///< the row that names the hyperplane, ascending
};

/// The cell with this packed pattern, or nothing if no cell has it. Cost: one descent of the tree.
/// \param with_rays  false leaves `rays` empty, which is much faster
std::optional<ExactCone> find_cell(const Arrangement& arrangement, std::span<const std::uint8_t> packed, bool with_rays = true);

}  // namespace topes
