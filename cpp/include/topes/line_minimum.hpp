// The first minimum of the objective along a line on which the outputs bend at known places.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "topes/smooth_loss.hpp"

namespace topes {

/// A place where the output of one sample bends.
struct Bend {
  double at = 0;            ///< along the line, > 0
  double by = 0;            ///< growth of the slope of the output there
  std::uint32_t row = 0;    ///< of the data
  std::uint32_t block = 0;  ///< whose activation changes
};

/// What a line looks like from its start.
struct Line {
  std::vector<double> outputs;  ///< at 0
  std::vector<double> slopes;   ///< of the outputs at 0
  std::vector<double> zz;       ///< of each block z + t d: z.z, z.d and d.d
  std::vector<double> zd;
  std::vector<double> dd;
  double most = 1;  ///< end of the line; all bends lie before it
};

struct LineMinimum {
  double t = 0;
  std::optional<Bend> kink;  ///< the bend it lies on, if the slope changes its sign there
};

/// A minimum of loss + beta * sum of the blocks' norms over 0 < t <= most, no higher than the value at 0; nothing where nothing
/// descends.
/// \param bends  in any order; they are left in another: cost O(bends + samples * log(bends)), nothing is sorted
/// \param pool   so many consecutive rows belong to one sample
std::optional<LineMinimum> line_minimum(const Line& line, std::span<Bend> bends, std::size_t pool, const SmoothLoss& loss,
                                        double beta);

}  // namespace topes
