// Limits, cancellation and progress of a long walk; threads that share its tasks.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>

namespace topes {

/// Shared by all threads of one walk.
struct Control {
  std::atomic<bool> cancelled{false};
  std::atomic<std::uint64_t> cells{0};
  std::uint64_t max_cells = std::numeric_limits<std::uint64_t>::max();

  /// \throws Cancelled if somebody asked to stop.
  void poll() const;
  /// \throws CellLimit beyond max_cells.
  void add_cells(std::uint64_t n);
};

/// Called every few hundredths of a second from the thread that started the walk, with the share of the work done (0 to 1)
/// and the number of cells so far. May throw: the walk stops and the exception passes through.
using ProgressHook = std::function<void(double fraction, std::uint64_t cells)>;

/// Number of threads to use: `asked`, or all processors if it is 0.
unsigned thread_count(unsigned asked);

/// Run work(task, thread) for task = 0, 1, ..., weights.size() - 1, started in that order on `n_threads` threads.
/// \param weights  share of the work each task is expected to be, any scale
/// The first exception of a task, of the hook or of the walk stops the others and is rethrown.
void run_tasks(std::span<const double> weights, unsigned n_threads, Control& control, const ProgressHook& hook,
               const std::function<void(std::size_t task, unsigned thread)>& work);

}  // namespace topes
