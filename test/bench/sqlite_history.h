// What a store with a long history answers, and how fast; and what thinning it costs everybody
// else.
#pragma once

#include <filesystem>

namespace rollwatch::bench {

// Fills a new store with that many evaluations and measures it.
void measure_history(const std::filesystem::path& file, int rollouts, int evaluations);

}  // namespace rollwatch::bench
