// The exceptions of the core. Each carries data, so that no caller has to parse a message.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace topes {

/// Base of every exception the core throws on purpose.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An argument breaks its contract.
class InvalidArgument : public Error {
 public:
  using Error::Error;
};

/// More cells were found than the caller allowed, or than can be indexed.
class CellLimit : public Error {
 public:
  explicit CellLimit(std::uint64_t most)
      : Error("more than " + std::to_string(most) + " cells"), limit(most) {}
  std::uint64_t limit;
};

/// The caller asked for the work to stop.
class Cancelled : public Error {
 public:
  Cancelled() : Error("cancelled") {}
};

}  // namespace topes
