// SPDX-License-Identifier: GPL-2.0-only
#include "base/text.h"
#include "census/address_spaces.h"
#include "census/passed_files.h"
#include "census/search.h"
#include "census/watchdogs.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

namespace lastref::census {
namespace {

constexpr FileWords words{{
    .detail = "a request of its io_uring on {path} has not ended",
    .clause = "{who} has a request of io_uring on {path} that has not ended",
    .remedy = end_process,
}};
constexpr auto what = "requests of io_uring";

/// What has rings, and their requests that have not ended, as far as the kernel keeps lists of
/// them.
class Requests {
public:
    explicit Requests(Search &search) : search_(search) {}

    void look_at_task(const Object &task)
    {
        constexpr std::int64_t io_worker = 0x00000010; // PF_IO_WORKER in include/linux/sched.h
        if ((task["flags"].number().value_or(0) & io_worker) != 0) {
            look_at_worker(task["worker_private"].as("io_worker"));
        }
        const auto context = task["io_uring"].target();
        if (context) {
            contexts_.emplace_back(task, context);
            each_in_xarray(context["xa"], [&](std::uint64_t, Address node) {
                look_at_ring(kernel().at(node, "io_tctx_node")["ctx"].target());
            });
        }
    }

    /// Those that wait for an event (io_poll_req_insert()), and commands that can be cancelled.
    void look_at_ring(const Object &ring)
    {
        if (!ring || !rings_.insert(ring.address()).second) {
            return;
        }
        look_at_table(ring["cancel_table"]);
        if (ring.has("cancel_table_locked")) { // until v6.13
            look_at_table(ring["cancel_table_locked"]);
        }
        if (ring.has("cancelable_uring_cmd")) {
            look_at_chain(ring["cancelable_uring_cmd"]);
        }
    }

    void report_all()
    {
        for (const auto &[address, request] : requests_) {
            report(request);
        }
        for (const auto &[task, context] : contexts_) {
            tell_others(task, context);
        }
    }

private:
    Kernel &kernel() { return search_.kernel(); }

    void look_at_chain(const Object &chain)
    {
        each_in_hlist(chain, "io_kiocb", "hash_node", [&](const Object &request) {
            requests_.emplace(request.address(), request);
        });
    }

    void look_at_table(const Object &table)
    {
        constexpr std::int64_t most = 20;
        const auto bits = table["hash_bits"].number().value_or(0);
        const auto buckets = table["hbs"];
        if (bits > most) {
            kernel().problems().cut.insert("a table of requests");
            return;
        }
        for (std::size_t i = 0; buckets && i < std::size_t{1} << bits; i++) {
            look_at_chain(buckets[i]["list"]);
        }
    }

    /// What it works on, and what waits for workers: struct io_worker in io_uring/io-wq.c.
    void look_at_worker(const Object &worker)
    {
        for (const auto *member : {"cur_work", "next_work"}) {
            if (worker.has(member)) { // kernels differ in whether one that comes next has a place
                add_work(worker[member]["list"].address());
            }
        }
        const auto queue = worker.either("wq", "wqe").target(); // by node until v6.4
        if (!queue || !queues_.insert(queue.address()).second) {
            return;
        }
        each_in_array(queue["acct"], [&](const Object &account) {
            auto work = account["work_list"]["first"].target();
            for (std::size_t i = 0; work; i++) {
                if (i == most_elements) {
                    kernel().problems().cut.insert("a list of requests");
                    return;
                }
                add_work(work.address());
                work = work["next"].target();
            }
        });
    }

    void add_work(Address links)
    {
        if (links == 0) {
            return;
        }
        const auto request = kernel().at(links, "io_wq_work_node").in("io_kiocb", "work.list");
        requests_.emplace(request.address(), request);
    }

    /// Who has made it.
    static Object submitter_of(const Object &request)
    {
        return request.has("tctx") ? request["tctx"]["task"].target() // since v6.13
                                   : request["task"].target();
    }

    void report(const Object &request)
    {
        const auto task = submitter_of(request);
        const auto file = request["file"].target();
        if (!task || !file || !rings_.contains(request["ctx"].pointer())) {
            return;
        }
        found_[task["io_uring"].pointer()]++;
        const auto hold = hold_of_passed_file(search_, file);
        if (!hold || is_open_by(search_, task, file.address()) ||
            kernel().memory().pointer_now(request["file"].address()) != file.address()) {
            return;
        }
        auto &found = search_.found("io_uring_file", words.usual, file, hold.refs);
        found.task = search_.task_of(task);
        describe_passed_file(found, file, hold);
        choose_words(found, words, is_watchdog(search_, file));
    }

    /// All requests of a task are counted: tctx->inflight, in part before they are made.
    void tell_others(const Object &task, const Object &context)
    {
        const auto count =
            sum_of(context["inflight"]) - context["cached_refs"].number().value_or(0);
        const auto others = count - found_[context.address()];
        if (others > 0) {
            const auto owner = search_.task_of(task);
            search_.not_examined(fmt::format("{} of {}[{}]",
                                             plural(others, "request") + " of io_uring", owner.comm,
                                             owner.pid),
                                 "the kernel has no list of those that a driver works on", true);
        }
    }

    /// Of a struct percpu_counter.
    std::int64_t sum_of(const Object &counter)
    {
        constexpr std::uint32_t most = 8192; // CONFIG_NR_CPUS of any distribution
        auto &memory = kernel().memory();
        auto sum = counter["count"].number().value_or(0);
        const auto cpus = memory.read<std::uint32_t>(kernel().symbol("nr_cpu_ids")).value_or(0);
        const auto offsets = kernel().symbol("__per_cpu_offset");
        const auto local = counter["counters"].pointer();
        for (std::uint32_t cpu = 0; local != 0 && cpu < std::min(cpus, most); cpu++) {
            const auto offset = memory.read<Address>(offsets + cpu * sizeof(Address)).value_or(0);
            sum += memory.read<std::int32_t>(local + offset).value_or(0);
        }
        return sum;
    }

    Search &search_;
    std::set<Address> rings_, queues_;
    std::map<Address, Object> requests_;
    std::vector<std::pair<Object, Object>> contexts_; ///< struct task_struct, io_uring_task
    std::map<Address, std::int64_t> found_;           ///< by their struct io_uring_task
};

/// A request keeps its file until it ends, though the descriptor be closed meanwhile.
void look(Search &search)
{
    Requests requests(search);
    for (const auto &process : search.processes()) {
        if (!is_of_kernel(process)) {
            for (const auto &task : threads_of(search, process)) {
                requests.look_at_task(task);
            }
        }
    }
    for (const auto &open : search.open_files_with("io_uring_fops")) {
        requests.look_at_ring(
            search.kernel().at(open.file, "file")["private_data"].as("io_ring_ctx"));
    }
    requests.report_all();
}

constexpr Symbol symbols[] = {
    {"init_task", {}, "io_ring_ctx"},
    {"io_uring_fops", {}, "io_ring_ctx"},
    {"nr_cpu_ids", "how many requests of io_uring there are", "io_ring_ctx"},
    {"__per_cpu_offset", "how many requests of io_uring there are", "io_ring_ctx"},
};

constexpr Reference references[] = {
    {"`io_uring_file`, of a request", "the same, until the request ends", "the same",
     "requests that wait for an event or a worker, of the rings of all threads; not those that a "
     "driver works on, of which the answer says how many there are"},
};
constexpr Doc doc{
    "A request of io_uring on a file of the module's has not ended, and no descriptor of "
    "its process leads to the file",
    references, "The request ends, or its process"};

} // namespace

extern const Kind ring_requests{what, doc, symbols, look, true};

} // namespace lastref::census
