#pragma once

#include "embedding/observer.h"  // IWYU pragma: export
