// Text put into HTML, and nothing that comes from outside put there otherwise.
#pragma once

#include <string>
#include <string_view>

namespace rollwatch {

// As an element's text, or in an attribute's quotes.
std::string html_text(std::string_view text);

// JSON that may stand in a <script> element: nothing in it ends that.
std::string json_in_html(std::string json);

// <a> to an address of the web; of anything else (javascript:, data:) the text alone.
std::string html_link(std::string_view url, std::string_view text);

// <time> of an RFC 3339 time in UTC, shown without milliseconds; a dash for none.
std::string html_time(std::string_view rfc3339);

}  // namespace rollwatch
