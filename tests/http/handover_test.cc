// A server hands its sockets to another one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "http/client.h"
#include "http/server.h"
#include "http/succession.h"
#include "temp_dir.h"

namespace embedding::http {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kRequest[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

// A server that answers with its name.
class Named {
 public:
  Named(const std::string& name, ServerOptions options) : name_(name) {
    options.host = "127.0.0.1";
    auto server = Server::Listen(options, {.handler = [name](Request, Responder responder) {
                                   responder.Answer({.body = name + '\n'});
                                 }});
    EXPECT_TRUE(server.ok());
    server_ = *std::move(server);
  }
  ~Named() {
    server_->Stop();
    (void)Join();
  }
  Named(const Named&) = delete;
  Named& operator=(const Named&) = delete;

  // Returns when it answers, and so offers.
  void Run() {
    server_->Ready();
    thread_ = std::thread([this] { status_ = server_->Run(); });
    std::string answer;
    while (!answer.ends_with(name_ + '\n')) {  // another may answer on the same socket
      Client client(port());
      client.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
      answer = client.ReadAll();
    }
  }
  // Waits until it has ended.
  Status Join() {
    if (thread_.joinable()) thread_.join();
    return status_;
  }
  uint16_t port() const {
    const std::string url = server_->url();
    return static_cast<uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  }
  Server& server() { return *server_; }

 private:
  const std::string name_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
  Status status_;
};

std::vector<int> CopiesOf(const std::vector<int>& sockets) {
  std::vector<int> copies;
  for (const int socket : sockets) copies.push_back(::dup(socket));
  return copies;
}

TEST(Handover, WhoeverConnectsIsAnsweredByOneOrTheOther) {
  const TempDir directory;
  // Longer than the address of a UNIX socket may be.
  const std::string folder = directory.File(std::string(150, 'x'));
  std::filesystem::create_directory(folder);
  const std::string path = folder + "/a.sock";
  const std::string path_of_second = folder + "/b.sock";
  Named first("first", {.port = 0, .handover_path = path});
  first.Run();
  Client idle(first.port());
  idle.Send(kRequest);
  EXPECT_THAT(idle.ReadUntil("first\n"), HasSubstr("200 OK"));

  Result<Succession> succession = Succession::Begin(path);
  ASSERT_TRUE(succession.ok()) << succession.error().message;
  ASSERT_THAT(succession->sockets(), SizeIs(1));
  Named second("second", {.port = first.port(),
                          .handover_path = path_of_second,
                          .inherited = CopiesOf(succession->sockets())});
  EXPECT_TRUE(second.server().is_successor());
  EXPECT_FALSE(first.server().is_successor());
  EXPECT_EQ(second.server().url(), first.server().url());
  ASSERT_TRUE(succession->Complete().ok());

  // A connection from before has one request more, and is told that it is the last.
  Client waiting(first.port());
  waiting.Send(kRequest);
  second.Run();
  EXPECT_THAT(waiting.ReadUntil("second\n"), HasSubstr("200 OK"));
  idle.Send(kRequest);
  EXPECT_THAT(idle.ReadAll(), HasSubstr("Connection: close"));
  EXPECT_TRUE(first.Join().ok());
  EXPECT_FALSE(std::filesystem::exists(path));

  // And it offers its sockets in its turn.
  EXPECT_TRUE(Succession::Begin(path_of_second).ok());
}

TEST(Handover, ASuccessorThatGoesAwayChangesNothing) {
  const TempDir directory;
  const std::string path = directory.File("a.sock");
  Named first("first", {.port = 0, .handover_path = path});
  first.Run();
  { ASSERT_TRUE(Succession::Begin(path).ok()); }
  Client client(first.port());
  client.Send(kRequest);
  const std::string answer = client.ReadUntil("first\n");
  EXPECT_THAT(answer, HasSubstr("200 OK"));
  EXPECT_EQ(answer.find("close"), std::string::npos);
  ASSERT_TRUE(Succession::Begin(path).ok());
}

TEST(Handover, ASuccessorThatServedAndWentAwayLeavesTheOffer) {
  const TempDir directory;
  const std::string path = directory.File("a.sock");
  Named first("first", {.port = 0, .handover_path = path});
  first.Run();
  {
    Result<Succession> succession = Succession::Begin(path);
    ASSERT_TRUE(succession.ok());
    Named second("second", {.port = first.port(),
                            .handover_path = directory.File("b.sock"),
                            .inherited = CopiesOf(succession->sockets())});
    second.Run();
  }
  EXPECT_TRUE(Succession::Begin(path).ok());
}

TEST(Handover, AStuckServerIsGivenUp) {
  const TempDir directory;
  const std::string path = directory.File("a.sock");
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int stuck = ::socket(AF_UNIX, SOCK_STREAM, 0);  // whose process never comes to it
  ASSERT_EQ(::bind(stuck, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(::listen(stuck, 1), 0);
  const Result<Succession> none = Succession::Begin(path);
  ::close(stuck);
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, ErrorCode::kTimeout);
  EXPECT_THAT(none.error().message, HasSubstr("does not answer"));
}

TEST(Handover, AVisitorHoldsUpNoStop) {
  const TempDir directory;
  const std::string path = directory.File("a.sock");
  Named server("first", {.port = 0, .handover_path = path});
  server.Run();
  const Result<Succession> visitor = Succession::Begin(path);
  ASSERT_TRUE(visitor.ok());
  server.server().Stop();
  EXPECT_TRUE(server.Join().ok());
}

TEST(Handover, SocketsOfOtherAddressesAreClosed) {
  const TempDir directory;
  const std::string path = directory.File("a.sock");
  Named first("first", {.port = 0, .handover_path = path});
  first.Run();
  Result<Succession> succession = Succession::Begin(path);
  ASSERT_TRUE(succession.ok());
  const std::vector<int> copies = CopiesOf(succession->sockets());
  Named second("second", {.port = 0, .inherited = copies});
  EXPECT_TRUE(second.server().is_successor());  // 0 is any port, this one too
  const std::vector<int> more = CopiesOf(succession->sockets());
  ServerOptions elsewhere{.host = "::1", .port = 0, .inherited = more};
  auto third = Server::Listen(elsewhere, {.handler = [](Request, Responder) {}});
  if (!third.ok()) GTEST_SKIP() << "no IPv6 here";
  EXPECT_FALSE((*third)->is_successor());
  EXPECT_EQ(::close(more.front()), -1);
}

TEST(Handover, NobodyOffersAnything) {
  const TempDir directory;
  const Result<Succession> none = Succession::Begin(directory.File("a.sock"));
  ASSERT_FALSE(none.ok());
  EXPECT_THAT(none.error().message, HasSubstr("a.sock"));
}

TEST(Handover, SocketsAreInheritedOnlyByWhomTheyAreFor) {
  ::setenv("LISTEN_FDS", "1", 1);
  ::setenv("LISTEN_PID", "1", 1);
  EXPECT_THAT(InheritedSockets(), SizeIs(0));
  EXPECT_EQ(::getenv("LISTEN_FDS"), nullptr);
}

}  // namespace
}  // namespace embedding::http
