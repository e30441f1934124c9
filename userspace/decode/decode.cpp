// SPDX-License-Identifier: GPL-2.0-only
#include "decode/decode.h"

#include "bpf/wire.h"
#include "decode/limits.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <optional>
#include <string_view>
#include <type_traits>

namespace lastref {

namespace {

/// A string ends at its NUL, or with its field if the NUL is missing.
template <std::size_t Size>
std::string text_of(const char (&field)[Size])
{
    return {field, ::strnlen(field, Size)};
}

template <typename T>
T take_header(const lr_header &head)
{
    T event;
    event.ts_ns = head.ts_ns;
    event.instance_id = head.instance_id;
    event.pid = head.pid;
    event.tid = head.tid;
    event.comm = text_of(head.comm);
    event.module = text_of(head.module);
    return event;
}

Error wrong_size(const char *name, std::size_t expected, std::size_t actual)
{
    return {fmt::format("a record of type {} has {} bytes, not {}", name, actual, expected), 0,
            "the recording is damaged or was made by another version of lastref"};
}

Error out_of_range(const char *name, const char *field, std::uint64_t value)
{
    return {fmt::format("a record of type {} has {} {}", name, field, value), 0,
            "the recording is damaged or was made by another version of lastref"};
}

/// Checks the size, then hands a copy of the record (so alignment does not matter) to `convert`.
template <typename Wire, typename Convert>
Result<Event> with(const char *name, std::span<const std::byte> bytes, Convert convert)
{
    static_assert(std::is_trivially_copyable_v<Wire>);
    if (bytes.size() != sizeof(Wire)) {
        return fail(wrong_size(name, sizeof(Wire), bytes.size()));
    }
    Wire wire;
    std::memcpy(&wire, bytes.data(), sizeof(wire));
    return convert(wire);
}

template <typename T>
Result<Event> plain(const char *name, std::span<const std::byte> bytes)
{
    return with<lr_header>(
        name, bytes, [](const lr_header &head) -> Result<Event> { return take_header<T>(head); });
}

Result<Event> soft_op(const char *name, OpKind kind, std::span<const std::byte> bytes)
{
    return with<lr_soft_op>(name, bytes, [&](const lr_soft_op &wire) -> Result<Event> {
        if (wire.context > LR_CONTEXT_HARDIRQ) {
            return fail(out_of_range(name, "context", wire.context));
        }
        auto event = take_header<SoftOp>(wire.h);
        event.kind = kind;
        event.call_site = wire.call_site;
        event.outstanding = wire.outstanding;
        event.outstanding_exact = wire.outstanding_exact != 0;
        event.context = static_cast<Context>(wire.context);
        return event;
    });
}

/// The arguments of a command line, each ended by a NUL, unless it was cut.
std::vector<std::string> arguments(const lr_module_load &wire)
{
    std::vector<std::string> out;
    std::string_view left(wire.arguments, std::min<std::size_t>(wire.size, LR_ARGUMENTS));
    while (!left.empty()) {
        const auto end = std::min(left.find('\0'), left.size());
        out.emplace_back(left.substr(0, end));
        left.remove_prefix(std::min(end + 1, left.size()));
    }
    return out;
}

Result<Event> module_load(std::span<const std::byte> bytes)
{
    if (bytes.size() == sizeof(lr_header)) {
        return plain<ModuleLoad>("MODULE_LOAD", bytes); // of an earlier version
    }
    return with<lr_module_load>("MODULE_LOAD", bytes,
                                [](const lr_module_load &wire) -> Result<Event> {
                                    if (wire.size > LR_ARGUMENTS) {
                                        return fail(out_of_range("MODULE_LOAD", "size", wire.size));
                                    }
                                    auto event = take_header<ModuleLoad>(wire.h);
                                    event.parent_pid = wire.parent_pid;
                                    event.parent_comm = text_of(wire.parent_comm);
                                    event.arguments = arguments(wire);
                                    return event;
                                });
}

Result<Event> module_request(std::span<const std::byte> bytes)
{
    return with<lr_module_request>("MODULE_REQUEST", bytes,
                                   [](const lr_module_request &wire) -> Result<Event> {
                                       auto event = take_header<ModuleRequest>(wire.h);
                                       event.call_site = wire.call_site;
                                       event.wait = wire.wait != 0;
                                       event.alias = text_of(wire.alias);
                                       event.symbol = text_of(wire.symbol);
                                       return event;
                                   });
}

Result<Event> requested(std::span<const std::byte> bytes)
{
    return with<lr_requested>("UNLOAD_REQUESTED", bytes,
                              [](const lr_requested &wire) -> Result<Event> {
                                  auto event = take_header<UnloadRequested>(wire.h);
                                  event.flags = wire.flags;
                                  event.from_command = wire.from_command != 0;
                                  return event;
                              });
}

Result<Event> exit_done(std::span<const std::byte> bytes)
{
    return with<lr_exit_done>("EXIT_DONE", bytes, [](const lr_exit_done &wire) -> Result<Event> {
        auto event = take_header<ExitDone>(wire.h);
        event.outstanding = wire.outstanding;
        event.soft_used = wire.soft_used != 0;
        event.forced = wire.forced != 0;
        event.init_failed = wire.init_failed != 0;
        return event;
    });
}

Result<Event> returned(std::span<const std::byte> bytes)
{
    return with<lr_returned>("RETURNED", bytes, [](const lr_returned &wire) -> Result<Event> {
        // The kernel's error numbers end at 4095; negating what is below would overflow.
        if (wire.ret > 0 || wire.ret < -4095) {
            return fail(
                out_of_range("RETURNED", "return value", static_cast<std::uint32_t>(wire.ret)));
        }
        auto event = take_header<Returned>(wire.h);
        event.ret = wire.ret;
        return event;
    });
}

/// A counter and a kind, which several records have.
template <typename Wire>
std::optional<Error> bad_operation(const char *name, const Wire &wire)
{
    if (wire.counter != LR_SOFT && wire.counter != LR_HARD) {
        return out_of_range(name, "counter", wire.counter);
    }
    if (wire.kind != LR_GET && wire.kind != LR_PUT) {
        return out_of_range(name, "kind", wire.kind);
    }
    return std::nullopt;
}

Result<Event> site(std::span<const std::byte> bytes)
{
    return with<lr_site>("SITE", bytes, [](const lr_site &wire) -> Result<Event> {
        if (auto error = bad_operation("SITE", wire)) {
            return fail(std::move(*error));
        }
        if (wire.context > LR_CONTEXT_HARDIRQ) {
            return fail(out_of_range("SITE", "context", wire.context));
        }
        if (wire.frames > LR_FRAMES) {
            return fail(out_of_range("SITE", "frame count", wire.frames));
        }
        auto event = take_header<SiteSeen>(wire.h);
        event.call_site = wire.call_site;
        event.counter = static_cast<Counter>(wire.counter);
        event.kind = static_cast<OpKind>(wire.kind);
        event.context = static_cast<Context>(wire.context);
        event.symbol = text_of(wire.symbol);
        for (std::uint32_t i = 0; i < wire.frames; ++i) {
            event.stack.push_back(text_of(wire.symbols[i]));
        }
        return event;
    });
}

Result<Event> module(std::span<const std::byte> bytes)
{
    return with<lr_module>("MODULE", bytes, [](const lr_module &wire) -> Result<Event> {
        if (wire.state > LR_STATE_UNFORMED) {
            return fail(out_of_range("MODULE", "state", wire.state));
        }
        auto event = take_header<ModuleSeen>(wire.h);
        event.state = static_cast<ModuleState>(wire.state);
        event.hard = wire.hard;
        event.soft = wire.soft;
        event.soft_base = wire.soft_base != 0;
        event.soft_used = wire.soft_used != 0;
        return event;
    });
}

Result<Event> cell(std::span<const std::byte> bytes)
{
    return with<lr_cell>("CELL", bytes, [](const lr_cell &wire) -> Result<Event> {
        if (auto error = bad_operation("CELL", wire)) {
            return fail(std::move(*error));
        }
        if (wire.count > limits::most_in_a_record) {
            return fail(out_of_range("CELL", "count", wire.count));
        }
        auto event = take_header<Cell>(wire.h);
        event.call_site = wire.call_site;
        event.count = wire.count;
        event.counter = static_cast<Counter>(wire.counter);
        event.kind = static_cast<OpKind>(wire.kind);
        return event;
    });
}

Result<Event> losses(std::span<const std::byte> bytes)
{
    return with<lr_losses>("LOSSES", bytes, [](const lr_losses &wire) -> Result<Event> {
        for (const auto count : {wire.events, wire.missed_probes, wire.map_full}) {
            if (count > limits::most_in_a_record) {
                return fail(out_of_range("LOSSES", "count", count));
            }
        }
        auto event = take_header<LossesSeen>(wire.h);
        event.events = wire.events;
        event.missed_probes = wire.missed_probes;
        event.map_full = wire.map_full;
        event.missed_unknown = wire.missed_unknown != 0;
        event.soft_missed = (wire.refs_missed & LR_SOFT) != 0;
        event.hard_missed = (wire.refs_missed & LR_HARD) != 0;
        return event;
    });
}

Result<Event> denied(std::span<const std::byte> bytes)
{
    return with<lr_denied>("DENIED", bytes, [](const lr_denied &wire) -> Result<Event> {
        if (wire.requests > limits::most_in_a_record) {
            return fail(out_of_range("DENIED", "count", wire.requests));
        }
        auto event = take_header<DeniedSeen>(wire.h);
        event.requests = wire.requests;
        return event;
    });
}

Result<Event> command_end(std::span<const std::byte> bytes)
{
    return with<lr_command_end>("COMMAND_END", bytes,
                                [](const lr_command_end &wire) -> Result<Event> {
                                    auto event = take_header<CommandEnd>(wire.h);
                                    event.status = wire.status;
                                    return event;
                                });
}

template <typename T>
Result<Event> text(const char *name, std::string T::*field, std::span<const std::byte> bytes)
{
    return with<lr_text>(name, bytes, [&](const lr_text &wire) -> Result<Event> {
        auto event = take_header<T>(wire.h);
        event.*field = text_of(wire.text);
        return event;
    });
}

Result<Event> decode_payload(std::uint32_t type, std::span<const std::byte> bytes)
{
    switch (type) {
    case LR_MODULE_LOAD:
        return module_load(bytes);
    case LR_MODULE_REQUEST:
        return module_request(bytes);
    case LR_UNLOAD_REQUESTED:
        return requested(bytes);
    case LR_EXIT_START:
        return plain<ExitStart>("EXIT_START", bytes);
    case LR_EXIT_DONE:
        return exit_done(bytes);
    case LR_SOFT_GET:
        return soft_op("SOFT_GET", OpKind::Get, bytes);
    case LR_SOFT_PUT:
        return soft_op("SOFT_PUT", OpKind::Put, bytes);
    case LR_GRACE_START:
        return plain<GraceStart>("GRACE_START", bytes);
    case LR_FREEING:
        return plain<Freeing>("FREEING", bytes);
    case LR_FREED:
        return plain<Freed>("FREED", bytes);
    case LR_RETURNED:
        return returned(bytes);
    case LR_TASK_GONE:
        return plain<TaskGone>("TASK_GONE", bytes);
    case LR_SITE:
        return site(bytes);
    case LR_SNAPSHOT_BEGIN:
        return plain<SnapshotBegin>("SNAPSHOT_BEGIN", bytes);
    case LR_MODULE:
        return module(bytes);
    case LR_CELL:
        return cell(bytes);
    case LR_SNAPSHOT_END:
        return plain<SnapshotEnd>("SNAPSHOT_END", bytes);
    case LR_LOSSES:
        return losses(bytes);
    case LR_DENIED:
        return denied(bytes);
    case LR_COMMAND:
        return text("COMMAND", &Command::text, bytes);
    case LR_COMMAND_END:
        return command_end(bytes);
    case LR_NOT_ATTEMPTED:
        return text("NOT_ATTEMPTED", &NotAttempted::reason, bytes);
    case LR_END:
        return plain<End>("END", bytes);
    default:
        return fail({fmt::format("a record has the unknown type {}", type), 0,
                     "the recording is damaged or was made by a newer lastref"});
    }
}

} // namespace

Result<Event> decode_record(std::span<const std::byte> bytes)
{
    lr_header head;
    if (bytes.size() < sizeof(head)) {
        return fail({fmt::format("a record has {} bytes, fewer than its header", bytes.size()), 0,
                     "the recording is damaged"});
    }
    std::memcpy(&head, bytes.data(), sizeof(head));
    if (head.size != bytes.size()) {
        return fail({fmt::format("a record of type {} says it has {} bytes, but has {}", head.type,
                                 head.size, bytes.size()),
                     0, "the recording is damaged"});
    }
    if (head.ts_ns > limits::latest_ns) {
        return fail({fmt::format("a record of type {} has time {}", head.type, head.ts_ns), 0,
                     "the recording is damaged"});
    }
    return decode_payload(head.type, bytes);
}

} // namespace lastref
