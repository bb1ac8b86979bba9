// What a template in Jinja renders of texts that are not known yet: transformers' templates of
// messages, made once, when a model is loaded. A template is a program; what of it depends on what
// the texts say cannot be, and is refused.
//
// Supported are if, for and set, the operators but for division, and the filters, tests and methods
// that such templates have (filters.cc). Time and memory are bounded, whatever the template is.
#pragma once

#include <string_view>

#include "base/result.h"
#include "model/jinja/text.h"
#include "model/jinja/value.h"

namespace embedding::jinja {

// Errors: kModelLoad, naming the line and what is not supported or wrong there, be it an error that
// the template raises.
Result<Text> Render(std::string_view source, const Dict& variables);

}  // namespace embedding::jinja
