#pragma once

#include "embedding/model_info.h"  // IWYU pragma: export
#include "embedding/request.h"     // IWYU pragma: export
