#include "config/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace rollwatch {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ProcessEnvironment : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "rollwatch-config-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text, fs::perms permissions) {
    const fs::path path = folder_ / name;
    std::ofstream(path, std::ios::binary) << text;
    fs::permissions(path, permissions);
    return path.string();
  }

  fs::path folder_;
  Environment environment_ = process_environment();
};

TEST_F(ProcessEnvironment, ReadsFilesAndTheirPermissions) {
  using fs::perms;
  const auto open =
      environment_.read_file(write("a", "x\n", perms::owner_read | perms::others_read));
  ASSERT_TRUE(open);
  EXPECT_EQ(open->text, "x\n");
  EXPECT_TRUE(open->world_readable);
  const auto closed = environment_.read_file(write("b", "", perms::owner_read));
  ASSERT_TRUE(closed);
  EXPECT_FALSE(closed->world_readable);
}

TEST_F(ProcessEnvironment, SaysWhyAFileCannotBeRead) {
  const auto missing = environment_.read_file((folder_ / "missing").string());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error(), "no such file or directory");
  const auto directory = environment_.read_file(folder_.string());
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error(), "it is a folder");
}

TEST_F(ProcessEnvironment, ListsFoldersThatNeedNotExist) {
  write("a.toml", "", fs::perms::owner_read);
  const auto names = environment_.list_folder(folder_.string());
  ASSERT_TRUE(names);
  EXPECT_THAT(*names, testing::ElementsAre("a.toml"));
  const auto none = environment_.list_folder((folder_ / "conf.d").string());
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
}

TEST_F(ProcessEnvironment, KnowsVariables) {
  setenv("ROLLWATCH_CONFIG_TEST", "v", 1);
  EXPECT_EQ(environment_.variable("ROLLWATCH_CONFIG_TEST"), "v");
  unsetenv("ROLLWATCH_CONFIG_TEST");
  EXPECT_EQ(environment_.variable("ROLLWATCH_CONFIG_TEST"), std::nullopt);
}

}  // namespace
}  // namespace rollwatch
