#pragma once

#include "embedding/engine.h"  // IWYU pragma: export
