// The rows of families.cc, each defined in a file of this folder.
#pragma once

#include "model/families.h"

namespace embedding {

extern const Family kBert;
extern const Family kCamembert;
extern const Family kRoberta;
extern const Family kXlmRoberta;

}  // namespace embedding
