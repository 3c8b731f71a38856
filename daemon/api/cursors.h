// What `next_cursor` of a list says: where its page ended, as a text that callers only hand back.
// It is sealed for its list, so that one of another list, or one that was made up or damaged, is
// told from one that was given. The seal is a checksum, not a secret: every node and every version
// reads it, and whatever a cursor says, it shows nobody more than the list itself does.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rollwatch {

// `list`: which one, such as "events of ro_1"; `place`: where its page ended, any text.
std::string seal_cursor(std::string_view list, std::string_view place);

// The place in a cursor that this list gave; nullopt: it did not.
std::optional<std::string> open_cursor(std::string_view list, std::string_view cursor);

}  // namespace rollwatch
