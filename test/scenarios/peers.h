// What Argo Rollouts' analysis and Flagger do, and what we do instead: one named row for each way
// of theirs, with a story that shows ours.
#pragma once

#include <ostream>
#include <vector>

namespace rollwatch {

struct PeerRow {
  const char* name;  // whose way it is, and what it is
  const char* they;
  const char* we;
  // TOML lines for the condition "errors", whose query is 'errors > 0.05', and what follows it. The
  // policy has steps of 5 % and 25 % for two minutes each.
  const char* story;
};

inline void PrintTo(const PeerRow& row, std::ostream* out) { *out << row.name; }

// How they evaluate: units, intervals, limits, what an answer means, what is kept.
std::vector<PeerRow> peers_answers();
std::vector<PeerRow> peers_conduct();
// Ten things that neither of them has.
std::vector<PeerRow> peers_lack();
// Ten things that their pages say and their code does not.
std::vector<PeerRow> peers_say();

}  // namespace rollwatch
