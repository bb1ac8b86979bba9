#pragma once

#include "embedding/byte_budget.h"  // IWYU pragma: export
