#include "hub/hub_environment.h"

#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace embedding {
namespace {

// As os.path.expanduser has it.
TEST(HubEnvironment, ExpandsTheHomesOfUsers) {
  const passwd* self = getpwuid(getuid());
  ASSERT_NE(self, nullptr);
  const std::string user = std::string("~") + self->pw_name;
  std::string home = self->pw_dir;
  setenv("HOME", "/elsewhere", 1);
  EXPECT_EQ(ExpandHome(user), home);
  while (home.ends_with('/')) home.pop_back();
  EXPECT_EQ(ExpandHome(user + "/models/tiny"), home + "/models/tiny");
  EXPECT_EQ(ExpandPath(user + "/$HOME"), home + "//elsewhere");
  EXPECT_EQ(ExpandHome("~"), "/elsewhere");
  EXPECT_EQ(ExpandHome("~/a"), "/elsewhere/a");
  EXPECT_EQ(ExpandHome("~no-such-user-here/a"), "~no-such-user-here/a");
  EXPECT_EQ(ExpandHome("/~/a~b"), "/~/a~b");
  setenv("HF_HOME", (user + "/hf").c_str(), 1);
  EXPECT_EQ(HuggingFaceHome(), home + "/hf");
  unsetenv("HF_HOME");
  setenv("HOME", "/", 1);
  EXPECT_EQ(ExpandHome("~/a"), "/a");
}

}  // namespace
}  // namespace embedding
