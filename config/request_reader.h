// [orchestrator.NAME] with preset = "request": orders as requests of somebody else's API
// (docs/orchestrators.md).
#pragma once

#include "config/section_context.h"
#include "config/settings.h"

namespace rollwatch {

// Reads what belongs to the preset; what both presets have, and finish(), is the caller's.
void read_request_preset(TableReader& reader, OrchestratorSettings& orchestrator,
                         SectionContext& context);

}  // namespace rollwatch
