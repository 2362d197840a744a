// Distinct packed patterns with their counts, shared by threads.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "topes/error.hpp"
#include "topes/progress.hpp"

namespace topes {

/// A pattern's number of occurrences, and the sample that had it first.
struct Occurrence {
  std::uint64_t count = 0;
  std::uint64_t first = 0;
};

inline std::uint64_t hash_words(const std::uint64_t* words, std::size_t n) {
  std::uint64_t h = 0x746f706573ULL;
  for (std::size_t k = 0; k < n; ++k) {
    h = (h ^ words[k]) * 0x9e3779b97f4a7c15ULL;
    h ^= h >> 32U;
  }
  h *= 0xbf58476d1ce4e5b9ULL;
  return h ^ (h >> 29U);
}

/// What is in the table after a set of insertions depends on the set, not on their order. Equality of patterns is that of all
/// their words; the hash only finds candidates.
class PatternTable {
 public:
  /// \param words  64-bit words of a pattern, at least 1
  explicit PatternTable(std::size_t words) : words_(words) {
    constexpr std::size_t kChunkBytes = 1 << 14;
    chunk_bits_ = static_cast<int>(std::bit_width(std::max<std::size_t>(1, kChunkBytes / (8 * words)))) - 1;
    for (Shard& s : shards_) s.slots.resize(64);
  }

  /// Insert patterns `begin`, `begin + words`, ..., the k-th of them that of sample `sample(k)`.
  /// \param start  where to begin: threads with different starts seldom wait for each other
  /// \throws CellLimit when control's limit on distinct patterns is passed
  template <class SampleOf>
  void insert(const std::uint64_t* patterns, std::size_t count, SampleOf sample, unsigned start, Control& control,
              std::vector<std::uint64_t>& hashes, std::vector<std::uint32_t>& order) {
    hashes.resize(count);
    order.resize(count);
    std::array<std::uint32_t, kShards + 1> begin{};
    for (std::size_t k = 0; k < count; ++k) {
      hashes[k] = hash_words(patterns + k * words_, words_);
      ++begin[shard_of(hashes[k]) + 1];
    }
    for (std::size_t s = 0; s < kShards; ++s) begin[s + 1] += begin[s];
    std::array<std::uint32_t, kShards> at{};
    std::copy_n(begin.begin(), kShards, at.begin());
    for (std::size_t k = 0; k < count; ++k) order[at[shard_of(hashes[k])]++] = static_cast<std::uint32_t>(k);
    for (unsigned i = 0; i < kShards; ++i) {
      const unsigned which = (start + i) % kShards;
      Shard& shard = shards_[which];
      const std::scoped_lock lock(shard.mutex);
      std::uint64_t added = 0;
      for (std::uint32_t k = begin[which]; k < begin[which + 1]; ++k) {
        constexpr std::uint32_t kAhead = 8;  // inserts between a slot's request and its use
        if (k + kAhead < begin[which + 1]) __builtin_prefetch(&shard.slots[shard.home(hashes[order[k + kAhead]])]);
        added += insert_one(shard, patterns + order[k] * words_, hashes[order[k]], sample(order[k]));
      }
      if (added > 0) control.add_cells(added);
    }
  }

  std::uint64_t size() const {
    std::uint64_t n = 0;
    for (const Shard& s : shards_) n += s.occurrences.size();
    return n;
  }

  /// Calls f(words, occurrence) for each pattern, those seen first, first.
  template <class F>
  void for_each_by_first(F&& f) const {
    struct Entry {
      std::uint64_t first;
      std::uint32_t shard;
      std::uint32_t index;
    };
    std::vector<Entry> entries;
    entries.reserve(size());
    for (std::uint32_t s = 0; s < kShards; ++s) {
      for (std::uint32_t k = 0; k < shards_[s].occurrences.size(); ++k) {
        entries.push_back({shards_[s].occurrences[k].first, s, k});
      }
    }
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.first < b.first; });
    for (const Entry& e : entries) f(row(shards_[e.shard], e.index), shards_[e.shard].occurrences[e.index]);
  }

  /// Most bytes a pattern of so many words takes in the table, the slack of growing tables included.
  static std::uint64_t bytes_per_pattern(std::size_t words) {
    return 8 * words + 3 * (sizeof(Occurrence) + sizeof(std::uint64_t)) + 6 * sizeof(Slot);
  }

 private:
  static constexpr unsigned kShards = 16;
  struct Slot {
    std::uint32_t tag = 0;    // of the hash, to save most comparisons
    std::uint32_t index = 0;  // 1 more than the number of the pattern; 0 for a free slot
  };
  struct Shard {
    std::mutex mutex;
    std::vector<Slot> slots;
    std::vector<Occurrence> occurrences;
    std::vector<std::uint64_t> hashes;
    std::vector<std::unique_ptr<std::uint64_t[]>> chunks;
    std::size_t home(std::uint64_t hash) const { return hash & (slots.size() - 1); }
  };

  static std::size_t shard_of(std::uint64_t hash) { return hash >> 60U; }
  static std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 28U); }
  const std::uint64_t* row(const Shard& s, std::size_t k) const {
    return s.chunks[k >> chunk_bits_].get() + words_ * (k & ((std::size_t{1} << chunk_bits_) - 1));
  }

  bool equal(const std::uint64_t* a, const std::uint64_t* b) const {
    std::size_t k = 0;
    while (k < words_ && a[k] == b[k]) ++k;
    return k == words_;
  }

  bool insert_one(Shard& s, const std::uint64_t* pattern, std::uint64_t hash, std::uint64_t sample) {
    const std::size_t mask = s.slots.size() - 1;
    std::size_t at = s.home(hash);
    for (; s.slots[at].index != 0; at = (at + 1) & mask) {
      if (s.slots[at].tag != tag_of(hash)) continue;
      const std::size_t k = s.slots[at].index - 1;
      if (!equal(row(s, k), pattern)) continue;
      ++s.occurrences[k].count;
      s.occurrences[k].first = std::min(s.occurrences[k].first, sample);
      return false;
    }
    const std::size_t k = s.occurrences.size();
    if (k + 1 > 0xFFFFFFFEU) throw CellLimit(0xFFFFFFFEULL * kShards);
    if ((k >> chunk_bits_) == s.chunks.size()) s.chunks.emplace_back(new std::uint64_t[words_ << chunk_bits_]);
    std::memcpy(s.chunks.back().get() + words_ * (k & ((std::size_t{1} << chunk_bits_) - 1)), pattern, 8 * words_);
    s.occurrences.push_back({1, sample});
    s.hashes.push_back(hash);
    s.slots[at] = {tag_of(hash), static_cast<std::uint32_t>(k + 1)};
    if (2 * s.occurrences.size() > s.slots.size()) grow(s);
    return true;
  }

  static void grow(Shard& s) {
    std::vector<Slot> slots(2 * s.slots.size());
    const std::size_t mask = slots.size() - 1;
    for (std::size_t k = 0; k < s.hashes.size(); ++k) {
      std::size_t at = s.hashes[k] & mask;
      while (slots[at].index != 0) at = (at + 1) & mask;
      slots[at] = {tag_of(s.hashes[k]), static_cast<std::uint32_t>(k + 1)};
    }
    s.slots = std::move(slots);
  }

  std::size_t words_;
  int chunk_bits_ = 0;
  std::array<Shard, kShards> shards_;
};

}  // namespace topes
