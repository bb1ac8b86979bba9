#include "http/client_address.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "http/ask.h"

namespace embedding::http {
namespace {

TrustedProxies Trusting(const std::vector<std::string>& texts) {
  TrustedProxies proxies;
  for (const std::string& text : texts) EXPECT_TRUE(proxies.Add(text)) << text;
  return proxies;
}

TEST(AddressTest, ReadsBothKindsAndNothingElse) {
  for (const char* text : {"192.0.2.1", "2001:db8::1", "::", "::1", "0.0.0.0"}) {
    const auto address = Address::Parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->Text(), text);
  }
  EXPECT_EQ(Address::Parse("::ffff:192.0.2.1")->Text(), "192.0.2.1");
  for (const char* text : {"", " ", "192.0.2", "192.0.2.256", "192.0.2.1:80", "fe80::1%eth0", "a",
                           "[::1]", "192.0.2.1 ", "1", "0x7f.1"}) {
    EXPECT_FALSE(Address::Parse(text)) << text;
  }
  EXPECT_FALSE(Address::Parse(std::string(10'000, ':')));
}

TEST(AddressTest, ItsNetworkIsItselfOrASixtyFour) {
  EXPECT_EQ(Address::Parse("192.0.2.1")->Network(), "192.0.2.1");
  EXPECT_EQ(Address::Parse("2001:db8:1:2:3:4:5:6")->Network(), "2001:db8:1:2::/64");
}

TEST(TrustedProxiesTest, TrustsWhatIsInItsRanges) {
  const TrustedProxies proxies = Trusting({"10.0.0.0/8", "192.0.2.1", "2001:db8::/33", "::1"});
  for (const char* text :
       {"10.0.0.1", "10.255.255.255", "192.0.2.1", "2001:db8:7fff::1", "::1", "::ffff:10.1.1.1"}) {
    EXPECT_TRUE(proxies.Trust(Address::Parse(text))) << text;
  }
  for (const char* text : {"11.0.0.1", "9.255.255.255", "192.0.2.2", "2001:db8:8000::1", "::2"}) {
    EXPECT_FALSE(proxies.Trust(Address::Parse(text))) << text;
  }
  EXPECT_FALSE(proxies.Trust(std::nullopt));
  EXPECT_TRUE(Trusting({"unix"}).Trust(std::nullopt));
  EXPECT_TRUE(Trusting({"0.0.0.0/0"}).Trust(Address::Parse("1.2.3.4")));
  EXPECT_FALSE(Trusting({"0.0.0.0/0"}).Trust(Address::Parse("2001:db8::1")));
}

TEST(TrustedProxiesTest, RefusesWhatIsNoRange) {
  for (const char* text : {"", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "::/129",
                           "proxy.example", "10.0.0/8", "/8", "10.0.0.0/8/8", "Unix"}) {
    EXPECT_FALSE(TrustedProxies().Add(text)) << text;
  }
}

struct Case {
  const char* peer;
  const char* forwarded_for;
  const char* forwarded;
  const char* client;
};

TEST(ClientAddressTest, IsTheLastThatIsNoTrustedProxy) {
  const TrustedProxies proxies = Trusting({"10.0.0.0/8", "fd00::/8"});
  const Case cases[] = {
      // From whom nothing is believed.
      {"192.0.2.9", "198.51.100.1", "", "192.0.2.9"},
      {"192.0.2.9", "", "for=198.51.100.1", "192.0.2.9"},
      {"", "198.51.100.1", "", ""},
      {"unknown", "198.51.100.1", "", "unknown"},
      // A proxy that says nothing.
      {"10.0.0.1", "", "", "10.0.0.1"},
      // What the client itself has sent stands to the left.
      {"10.0.0.1", "198.51.100.1", "", "198.51.100.1"},
      {"10.0.0.1", "1.2.3.4, 198.51.100.1", "", "198.51.100.1"},
      {"10.0.0.1", "1.2.3.4,198.51.100.1,10.2.3.4 , fd00::1", "", "198.51.100.1"},
      {"fd00::1", "nonsense, 198.51.100.1", "", "198.51.100.1"},
      {"10.0.0.1", "10.0.0.3, 10.0.0.2", "", "10.0.0.3"},
      {"10.0.0.1", "198.51.100.1:4711", "", "198.51.100.1"},
      {"10.0.0.1", "[2001:db8::1]:4711", "", "2001:db8::1"},
      {"10.0.0.1", "2001:DB8:0::1", "", "2001:db8::1"},
      // Malformed where it would have to be believed.
      {"10.0.0.1", "198.51.100.1, unknown", "", "10.0.0.1"},
      {"10.0.0.1", "198.51.100.1,", "", "10.0.0.1"},
      {"10.0.0.1", ",", "", "10.0.0.1"},
      {"10.0.0.1", "nonsense, 10.0.0.2", "", "10.0.0.1"},
      // RFC 7239.
      {"10.0.0.1", "", "for=198.51.100.1", "198.51.100.1"},
      {"10.0.0.1", "", "for=1.2.3.4, proto=https;For=\"198.51.100.1:80\";by=10.0.0.1",
       "198.51.100.1"},
      {"10.0.0.1", "", "for=\"[2001:db8::1]:4711\", for=10.0.0.2", "2001:db8::1"},
      {"10.0.0.1", "", "for=_hidden", "10.0.0.1"},
      {"10.0.0.1", "", "for=unknown", "10.0.0.1"},
      {"10.0.0.1", "", "proto=https", "10.0.0.1"},
      {"10.0.0.1", "", "for=\"198.51.100.1", "10.0.0.1"},
      {"10.0.0.1", "", "for=\", for=198.51.100.1", "198.51.100.1"},
      // Of two that differ one is not the proxy's.
      {"10.0.0.1", "198.51.100.1", "for=198.51.100.1", "198.51.100.1"},
      {"10.0.0.1", "198.51.100.1", "for=1.2.3.4", "10.0.0.1"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(ClientAddress(c.peer, c.forwarded_for, c.forwarded, proxies), c.client)
        << c.peer << " | " << c.forwarded_for << " | " << c.forwarded;
  }
  EXPECT_EQ(ClientAddress("", "198.51.100.1", "", Trusting({"unix"})), "198.51.100.1");
}

TEST(ClientAddressTest, IsPutIntoTheRequest) {
  const Handler tell = [](const Request& request, Responder responder) {
    responder.Answer({.body = request.client.address});
  };
  const auto ask = [&](const TrustedProxies& proxies) {
    Request request{"POST", "/", "", "id"};
    request.client.address = "10.0.0.1";
    request.forwarded_for = "198.51.100.1";
    return Ask(FindClientAddress(proxies)(tell), std::move(request)).body;
  };
  EXPECT_EQ(ask(Trusting({"10.0.0.1"})), "198.51.100.1");
  EXPECT_EQ(ask({}), "10.0.0.1");
}

}  // namespace
}  // namespace embedding::http
