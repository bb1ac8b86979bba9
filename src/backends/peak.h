// What the machine can do at most: the yardstick for the products' share of it.
#pragma once

namespace embedding {

// f32 operations a second (a multiply-add is two) that as many threads as this process may use
// reach together on values that stay in registers. Measured once, for half a second.
double MeasuredPeakF32();

}  // namespace embedding
