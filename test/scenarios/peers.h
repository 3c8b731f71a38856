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
// Ten things that neither of them has: an API to register with, a history of verdicts, the series
// that was bad, a rule for a source that does not answer, a minimum of traffic, failures that must
// follow each other, a query read before the run, queries that do not come all at once (with shared
// answers), messages that are not lost or repeated, and calls that can be told from repeats. Not
// among them: what we have not either (boolean combinations, replay, several daemons at once,
// tracing), and what no rollout's story shows (certificates for a metrics server, dashboards).
std::vector<PeerRow> peers_lack();
// Ten things that their pages say and their code does not.
std::vector<PeerRow> peers_say();

}  // namespace rollwatch
