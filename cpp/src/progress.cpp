#include "topes/progress.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>
#include <vector>

#include "topes/error.hpp"

namespace topes {

namespace {

struct Joined {
  std::vector<std::thread> threads;
  void join() {
    for (std::thread& t : threads) t.join();
    threads.clear();
  }
  ~Joined() { join(); }
};

}  // namespace

void Control::poll() const {
  if (cancelled.load(std::memory_order_relaxed)) throw Cancelled();
}

void Control::add_cells(std::uint64_t n) {
  if (cells.fetch_add(n, std::memory_order_relaxed) + n > max_cells) throw CellLimit(max_cells);
}

unsigned thread_count(unsigned asked) {
  return asked != 0 ? asked : std::max(1U, std::thread::hardware_concurrency());
}

void run_tasks(std::span<const double> weights, unsigned n_threads, Control& control, const ProgressHook& hook,
               const std::function<void(std::size_t, unsigned)>& work) {
  const std::size_t n_tasks = weights.size();
  const double total = std::max(std::accumulate(weights.begin(), weights.end(), 0.0), 1e-300);
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::condition_variable finished;
  double done = 0;
  unsigned running = static_cast<unsigned>(std::min<std::size_t>(thread_count(n_threads), std::max<std::size_t>(n_tasks, 1)));
  std::exception_ptr failure;

  const auto stop_with = [&](std::exception_ptr e) {
    const std::scoped_lock lock(mutex);
    if (!failure) failure = std::move(e);
    control.cancelled = true;
  };
  const auto worker = [&](unsigned thread) {
    try {
      for (std::size_t task = next++; task < n_tasks; task = next++) {
        control.poll();
        work(task, thread);
        const std::scoped_lock lock(mutex);
        done += weights[task];
      }
    } catch (...) {
      stop_with(std::current_exception());
    }
    const std::scoped_lock lock(mutex);
    --running;
    finished.notify_one();
  };

  Joined joined;  // no std::jthread: libc++ has long had it as an experiment only
  std::vector<std::thread>& threads = joined.threads;
  const unsigned n = running;
  threads.reserve(n);
  try {
    for (unsigned t = 0; t < n; ++t) threads.emplace_back(worker, t);
  } catch (...) {  // no more threads to be had: the ones that started do the work
    const std::scoped_lock lock(mutex);
    running -= n - static_cast<unsigned>(threads.size());
    if (threads.empty()) failure = std::current_exception();
  }
  std::unique_lock lock(mutex);
  while (running > 0) {
    finished.wait_for(lock, std::chrono::milliseconds(50), [&] { return running == 0; });
    if (!hook || failure) continue;
    const double fraction = std::min(done / total, 1.0);
    lock.unlock();
    try {
      hook(fraction, control.cells.load(std::memory_order_relaxed));
    } catch (...) {
      stop_with(std::current_exception());
    }
    lock.lock();
  }
  lock.unlock();
  joined.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace topes
