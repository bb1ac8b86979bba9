#include "http/file_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstddef>
#include <limits>

namespace embedding::http {
namespace {

// Puts the soft limit back; the hard one is not touched, as it could not be raised again.
class FileLimit : public ::testing::Test {
 protected:
  FileLimit() { ::getrlimit(RLIMIT_NOFILE, &before_); }
  ~FileLimit() override { ::setrlimit(RLIMIT_NOFILE, &before_); }

  static void SetSoft(rlim_t files) {
    rlimit limit = {};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = files;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  }

  static rlim_t Soft() {
    rlimit limit = {};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
  }

  rlimit before_ = {};
};

TEST_F(FileLimit, RaisesTheSoftLimitToWhatIsNeeded) {
  SetSoft(100);
  const Result<size_t> fit = AffordConnections(200, 50);
  ASSERT_TRUE(fit.ok());
  EXPECT_EQ(*fit, 200u);
  EXPECT_EQ(Soft(), 250u);
}

TEST_F(FileLimit, NeverLowersIt) {
  SetSoft(200);
  ASSERT_TRUE(AffordConnections(10, 10).ok());
  EXPECT_EQ(Soft(), 200u);
}

TEST_F(FileLimit, MoreThanTheSystemHasGivesWhatThereIs) {
  constexpr size_t kOthers = 100;
  for (const size_t wanted : {size_t{1} << 40, std::numeric_limits<size_t>::max() - kOthers,
                              std::numeric_limits<size_t>::max()}) {
    SetSoft(150);
    const Result<size_t> fit = AffordConnections(wanted, kOthers);
    ASSERT_TRUE(fit.ok()) << fit.error().message;
    EXPECT_EQ(*fit, before_.rlim_max - kOthers) << wanted;
    EXPECT_EQ(Soft(), before_.rlim_max);
  }
}

TEST_F(FileLimit, RefusesWhereTooFewConnectionsAreLeft) {
  // Beside so many others that the hard limit itself leaves one connection too few.
  const size_t others = before_.rlim_max - kFewestConnections + 1;
  const Result<size_t> fit = AffordConnections(1000, others);
  ASSERT_FALSE(fit.ok());
  EXPECT_EQ(fit.error().code, ErrorCode::kInternal);
  EXPECT_NE(fit.error().message.find("ulimit -n"), std::string::npos) << fit.error().message;
  EXPECT_NE(fit.error().message.find(std::to_string(before_.rlim_max)), std::string::npos);

  const Result<size_t> one_more = AffordConnections(1000, others - 1);
  ASSERT_TRUE(one_more.ok());
  EXPECT_EQ(*one_more, kFewestConnections);
  // Whoever asks for fewer gets them.
  const Result<size_t> fewer = AffordConnections(kFewestConnections - 1, others);
  ASSERT_TRUE(fewer.ok());
  EXPECT_EQ(*fewer, kFewestConnections - 1);
}

}  // namespace
}  // namespace embedding::http
