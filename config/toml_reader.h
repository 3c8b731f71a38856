// TOML text as a tree that knows its places, with `${NAME}` replaced from the environment.
#pragma once

#include <string>
#include <string_view>

#include "config/environment.h"
#include "config/field_error.h"
#include "config/value.h"

namespace rollwatch {

// file is the name that errors show. A syntax error is the one error of its file; its text quotes
// nothing longer than a character, as what stands there may be a secret.
Value value_from_toml(std::string_view text, const std::string& file, FieldErrors& errors);

// In every string: `${NAME}` becomes the variable's value and `$$` a dollar; a dollar before
// anything else stays. A name that is not set is an error.
void expand_variables(Value& value, const Environment& environment, FieldErrors& errors);

}  // namespace rollwatch
