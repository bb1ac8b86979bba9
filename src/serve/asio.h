// Asio and Beast under short names. Asio's coroutines in Boost 1.74 use std::exchange without
// including its header, hence the order.
#pragma once

#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

// GCC 12 pairs the operator new of a coroutine's frame wrongly when it optimises, and complains.
// It does so at the coroutine, so the warning is off for all of a file that includes this.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

namespace embedding::serve {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

}  // namespace embedding::serve
