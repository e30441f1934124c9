// SPDX-License-Identifier: GPL-2.0-only
#include "stream.h"

#include "base/time.h"
#include "source_tree.h"

#include <fmt/format.h>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

namespace lastref::test {

namespace {

/// The fields of an event, either read from text or collected for printing: one description of each
/// event serves both directions, so they cannot differ.
class Fields {
public:
    static Fields reader(std::map<std::string, std::string> values)
    {
        Fields fields;
        fields.values_ = std::move(values);
        fields.reading_ = true;
        return fields;
    }

    void field(const char *key, std::string &value)
    {
        if (reading_) {
            value = take(key).value_or("");
        } else if (!value.empty()) {
            printed_ += fmt::format(" {}={}", key, quote(value));
        }
    }
    void field(const char *key, bool &value)
    {
        std::uint64_t number = value ? 1 : 0;
        integer(key, number);
        value = number != 0;
    }
    template <typename T>
    void field(const char *key, T &value)
    {
        if constexpr (std::is_enum_v<T>) {
            name(key, value);
        } else {
            integer(key, value);
        }
    }
    void hex(const char *key, std::uint64_t &value)
    {
        if (reading_) {
            value = std::stoull(take(key).value_or("0"), nullptr, 16);
        } else if (value != 0) {
            printed_ += fmt::format(" {}={:#x}", key, value);
        }
    }
    void list(const char *key, std::vector<std::string> &values)
    {
        std::string joined;
        for (const std::string &value : values) {
            joined += (joined.empty() ? "" : ";") + value;
        }
        field(key, joined);
        if (reading_) {
            values.clear();
            std::istringstream parts(joined);
            for (std::string part; std::getline(parts, part, ';');) {
                values.push_back(part);
            }
        }
    }

    [[nodiscard]] const std::string &printed() const { return printed_; }
    [[nodiscard]] std::string unused() const
    {
        return values_.empty() ? "" : values_.begin()->first;
    }

private:
    template <typename T>
    void integer(const char *key, T &value)
    {
        if (reading_) {
            const auto text = take(key);
            value = static_cast<T>(text ? std::stoll(*text) : 0);
        } else if (value != 0) {
            printed_ += fmt::format(" {}={}", key, value);
        }
    }
    template <typename T>
    void name(const char *key, T &value)
    {
        if (!reading_) {
            printed_ += fmt::format(" {}={}", key, name_of(value));
            return;
        }
        const std::string text = take(key).value_or("");
        for (std::uint32_t number = 0; number < 4; ++number) {
            // Counters and kinds begin at 1, and name_of() takes what it does not know for the
            // first.
            const bool from_one = std::is_same_v<T, Counter> || std::is_same_v<T, OpKind>;
            value = static_cast<T>(number);
            if (name_of(value) == text && (number != 0 || !from_one)) {
                return;
            }
        }
        throw std::runtime_error(fmt::format("{}={} is unknown", key, text));
    }
    std::optional<std::string> take(const char *key)
    {
        const auto node = values_.extract(key);
        return node ? std::optional(node.mapped()) : std::nullopt;
    }
    static std::string quote(const std::string &value)
    {
        return value.find(' ') == std::string::npos ? value : '"' + value + '"';
    }

    bool reading_ = false;
    std::map<std::string, std::string> values_;
    std::string printed_;
};

struct Describe {
    Fields &fields;
    void operator()(ModuleLoad &event) const
    {
        fields.field("parent_pid", event.parent_pid);
        fields.field("parent", event.parent_comm);
        fields.list("arguments", event.arguments);
    }
    void operator()(ModuleRequest &event) const
    {
        fields.hex("site", event.call_site);
        fields.field("wait", event.wait);
        fields.field("alias", event.alias);
        fields.field("symbol", event.symbol);
    }
    void operator()(UnloadRequested &event) const
    {
        fields.field("flags", event.flags);
        fields.field("from_command", event.from_command);
    }
    void operator()(ExitDone &event) const
    {
        fields.field("outstanding", event.outstanding);
        fields.field("used", event.soft_used);
        fields.field("forced", event.forced);
        fields.field("init_failed", event.init_failed);
    }
    void operator()(SoftOp &event) const
    {
        fields.hex("site", event.call_site);
        fields.field("outstanding", event.outstanding);
        fields.field("exact", event.outstanding_exact);
        fields.field("context", event.context);
    }
    void operator()(Returned &event) const { fields.field("ret", event.ret); }
    void operator()(SiteSeen &event) const
    {
        fields.hex("site", event.call_site);
        fields.field("counter", event.counter);
        fields.field("kind", event.kind);
        fields.field("context", event.context);
        fields.field("symbol", event.symbol);
        fields.list("stack", event.stack);
    }
    void operator()(ModuleSeen &event) const
    {
        fields.field("state", event.state);
        fields.field("hard", event.hard);
        fields.field("soft", event.soft);
        fields.field("base", event.soft_base);
        fields.field("used", event.soft_used);
    }
    void operator()(Cell &event) const
    {
        fields.hex("site", event.call_site);
        fields.field("count", event.count);
        fields.field("counter", event.counter);
        fields.field("kind", event.kind);
    }
    void operator()(LossesSeen &event) const
    {
        fields.field("events", event.events);
        fields.field("missed", event.missed_probes);
        fields.field("map_full", event.map_full);
        fields.field("unknown", event.missed_unknown);
        fields.field("soft_missed", event.soft_missed);
        fields.field("hard_missed", event.hard_missed);
    }
    void operator()(DeniedSeen &event) const { fields.field("requests", event.requests); }
    void operator()(Command &event) const { fields.field("text", event.text); }
    void operator()(CommandEnd &event) const { fields.field("status", event.status); }
    void operator()(NotAttempted &event) const { fields.field("reason", event.reason); }
    void operator()(EventHeader &) const {}
};

void describe(Event &event, Fields &fields)
{
    EventHeader &head = header(event);
    fields.field("module", head.module);
    fields.field("id", head.instance_id);
    fields.field("comm", head.comm);
    fields.field("pid", head.pid);
    // A thread group of one is the rule: its tid is written only where it differs.
    if (std::uint32_t tid = head.tid == head.pid ? 0 : head.tid; true) {
        fields.field("tid", tid);
        head.tid = tid == 0 ? head.pid : tid;
    }
    std::visit(Describe{fields}, event);
}

const std::vector<std::pair<std::string, Event>> &types()
{
    static const std::vector<std::pair<std::string, Event>> all{
        {"module_load", ModuleLoad{}},
        {"module_request", ModuleRequest{}},
        {"unload_requested", UnloadRequested{}},
        {"exit_start", ExitStart{}},
        {"exit_done", ExitDone{}},
        {"soft_get", SoftOp{}},
        {"soft_put", SoftOp{}},
        {"grace_start", GraceStart{}},
        {"freeing", Freeing{}},
        {"freed", Freed{}},
        {"returned", Returned{}},
        {"task_gone", TaskGone{}},
        {"site", SiteSeen{}},
        {"snapshot_begin", SnapshotBegin{}},
        {"module", ModuleSeen{}},
        {"cell", Cell{}},
        {"snapshot_end", SnapshotEnd{}},
        {"losses", LossesSeen{}},
        {"denied", DeniedSeen{}},
        {"command", Command{}},
        {"command_end", CommandEnd{}},
        {"not_attempted", NotAttempted{}},
        {"end", End{}},
    };
    return all;
}

std::string type_of(const Event &event)
{
    const auto *op = std::get_if<SoftOp>(&event);
    if (op != nullptr) {
        return op->kind == OpKind::Put ? "soft_put" : "soft_get";
    }
    for (const auto &[name, sample] : types()) {
        if (sample.index() == event.index()) {
            return name;
        }
    }
    throw std::runtime_error("an event without a name");
}

/// `word` or `key="some words"`, from `line` at `at`.
std::string next_word(const std::string &line, std::size_t &at)
{
    std::string word;
    bool quoted = false;
    for (; at < line.size() && (quoted || line[at] != ' '); ++at) {
        if (line[at] == '"') {
            quoted = !quoted;
        } else {
            word += line[at];
        }
    }
    at += at < line.size() ? 1 : 0;
    return word;
}

std::uint64_t parse_seconds(const std::string &text)
{
    const std::size_t dot = text.find('.');
    if (dot == std::string::npos || text.size() != dot + 10) {
        throw std::runtime_error("a time needs nine decimals: " + text);
    }
    return std::stoull(text.substr(0, dot)) * 1'000'000'000 + std::stoull(text.substr(dot + 1));
}

Event parse_line(const std::string &line)
{
    std::size_t at = 0;
    const std::uint64_t ts_ns = parse_seconds(next_word(line, at));
    const std::string type = next_word(line, at);
    std::map<std::string, std::string> values;
    while (at < line.size()) {
        const std::string word = next_word(line, at);
        const std::size_t equals = word.find('=');
        if (equals == std::string::npos) {
            throw std::runtime_error("not key=value: " + word);
        }
        values[word.substr(0, equals)] = word.substr(equals + 1);
    }
    for (const auto &[name, sample] : types()) {
        if (name == type) {
            Event event = sample;
            Fields fields = Fields::reader(std::move(values));
            describe(event, fields);
            if (!fields.unused().empty()) {
                throw std::runtime_error("unknown field " + fields.unused());
            }
            header(event).ts_ns = ts_ns;
            if (auto *op = std::get_if<SoftOp>(&event)) {
                op->kind = type == "soft_put" ? OpKind::Put : OpKind::Get;
            }
            return event;
        }
    }
    throw std::runtime_error("unknown type " + type);
}

bool is_comment(const std::string &line)
{
    return line.empty() || line[0] == '#';
}

} // namespace

std::string print_event(const Event &event)
{
    Event copy = event;
    Fields fields;
    describe(copy, fields);
    return fmt::format("{} {}{}", format_seconds(header(event).ts_ns, 9), type_of(event),
                       fields.printed());
}

std::vector<Event> parse_stream(const std::string &text)
{
    std::vector<Event> events;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (is_comment(line)) {
            continue;
        }
        try {
            events.push_back(parse_line(line));
        } catch (const std::exception &error) {
            throw std::runtime_error(fmt::format("{}: {}", line, error.what()));
        }
    }
    return events;
}

std::string reprint_stream(const std::string &text)
{
    std::string out;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        out += (is_comment(line) ? line : print_event(parse_stream(line).at(0))) + "\n";
    }
    return out;
}

std::string read_stream_file(const std::string &name)
{
    std::ifstream file(source_tree() / "tests/streams" / name);
    if (!file) {
        throw std::runtime_error("cannot read tests/streams/" + name);
    }
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

Session play(const std::string &text, SessionInfo info)
{
    Session session(std::move(info));
    for (const Event &event : parse_stream(text)) {
        session.feed(event);
    }
    return session;
}

} // namespace lastref::test
