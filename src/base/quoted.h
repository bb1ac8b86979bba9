// Text of strangers (of files, of the network) in a form that cannot disturb a terminal or a log.
#pragma once

#include <string>
#include <string_view>

namespace embedding {

// `text` in printable ASCII, other bytes as \x1b, cut after about `max_bytes` of it.
std::string Printable(std::string_view text, size_t max_bytes);

// A name, printable, of bearable length, between quotes.
std::string Quoted(std::string_view text);

}  // namespace embedding
