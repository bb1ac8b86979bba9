// Names in several forms, "new|old" (tensor_names.h): which of them something has.
#pragma once

#include <string_view>

namespace embedding {

// The first of the forms for which has(form); the first of all if there is none.
template <typename Has>
std::string_view FindForm(std::string_view forms, Has has) {
  for (std::string_view rest = forms;;) {
    const size_t end = rest.find('|');
    const std::string_view form = rest.substr(0, end);
    if (has(form)) return form;
    if (end == std::string_view::npos) return forms.substr(0, forms.find('|'));
    rest.remove_prefix(end + 1);
  }
}

}  // namespace embedding
