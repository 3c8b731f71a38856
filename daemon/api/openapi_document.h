// openapi.json of this folder, as it is served: put into the program when it is built.
#pragma once

#include <string>
#include <string_view>

namespace rollwatch {

std::string_view openapi_document();
// Changes with the document.
const std::string& openapi_etag();

}  // namespace rollwatch
