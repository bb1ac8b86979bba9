#include "http/trace_context.h"

#include <gtest/gtest.h>

#include <string>

namespace embedding::http {
namespace {

const std::string kId = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string kRest = kId + "-00f067aa0ba902b7-01";

TEST(TraceContextTest, TakesTheIdOfWhatIsWellFormed) {
  EXPECT_EQ(TraceIdOf("00-" + kRest), kId);
  EXPECT_EQ(TraceIdOf("cc-" + kRest), kId);
  EXPECT_EQ(TraceIdOf("cc-" + kRest + "-what-comes-later"), kId);
}

TEST(TraceContextTest, IgnoresWhatIsNot) {
  std::string upper = kId;
  upper[0] = 'A';
  for (const std::string& header :
       {std::string(), "00-" + kRest + "-more", "00-" + kRest + "0", "ff-" + kRest, "0-" + kRest,
        "cc-" + kRest + ".more", "00_" + kRest, "0g-" + kRest,
        "00-" + upper + "-00f067aa0ba902b7-01", "00-" + kId + "-0000000000000000-01",
        "00-" + std::string(32, '0') + "-00f067aa0ba902b7-01", "00-" + kId + "-00f067aa0ba902b7",
        "00-" + kId + "-00f067aa0ba902b7-", "00-" + kId + "-00f067aa0ba902b7-0x",
        "cc-" + kRest + "-,cc-" + kRest, " 00-" + kRest}) {
    EXPECT_EQ(TraceIdOf(header), "") << header;
  }
}

}  // namespace
}  // namespace embedding::http
