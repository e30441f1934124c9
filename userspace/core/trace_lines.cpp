// SPDX-License-Identifier: GPL-2.0-only
#include "core/trace_lines.h"

#include <fcntl.h>

namespace lastref {

namespace {

class LineMaker {
public:
    LineMaker(const UnloadTracker &tracker, const InstanceTable &instances, const SiteTable &sites,
              const ModuleRequests &requests, std::uint64_t more)
        : tracker_(tracker), instances_(instances), sites_(sites), requests_(requests), more_(more)
    {
    }

    void operator()(const ModuleLoad &event)
    {
        TraceEvent &line = add(TraceKind::ModuleLoad, event);
        if (event.parent_pid != 0) {
            line.parent = Task{event.parent_pid, event.parent_comm};
        }
        for (const std::string &argument : event.arguments) {
            line.detail += (line.detail.empty() ? "" : " ") + argument;
        }
        const ModuleRequest *request = requests_.of(event);
        if (request != nullptr) {
            line.alias = request->alias;
            line.wanted_by = Task{request->pid, request->comm};
            line.site = site_of(*request);
        }
    }
    void operator()(const ModuleRequest &event)
    {
        TraceEvent &line = add(TraceKind::ModuleRequest, event);
        line.alias = event.alias;
        line.site = site_of(event);
    }
    void operator()(const UnloadRequested &event)
    {
        add(TraceKind::UnloadRequested, event).forced = (event.flags & O_TRUNC) != 0;
    }
    void operator()(const ExitStart &event) { add(TraceKind::ExitStart, event); }
    void operator()(const ExitDone &event)
    {
        TraceEvent &line =
            add(event.init_failed ? TraceKind::InitFailed : TraceKind::ExitDone, event);
        line.forced = event.forced;
        if (event.outstanding >= 0) {
            line.outstanding = event.outstanding;
            line.exact = true;
        }
    }
    void operator()(const SoftOp &event)
    {
        const bool get = event.kind == OpKind::Get;
        TraceEvent &line = add(get ? TraceKind::SoftGet : TraceKind::SoftPut, event);
        line.site = sites_.call_site(event.instance_id, Counter::Soft, event.kind, event.call_site);
        line.context = event.context;
        line.exact = event.outstanding_exact;
        if (event.outstanding >= 0) {
            line.outstanding = event.outstanding;
        }
        // The put that leaves nothing of a module whose exit routine has ended queues its free.
        const Life *life = tracker_.life(event.instance_id);
        const bool ended =
            life != nullptr && life->base_dropped_ns().value_or(event.ts_ns) < event.ts_ns;
        if (!get && ended && event.outstanding_exact && event.outstanding == 0) {
            add(TraceKind::Queued, event);
        }
    }
    void operator()(const GraceStart &event) { add(TraceKind::GracePeriod, event); }
    void operator()(const Freeing &event) { add(TraceKind::Freeing, event); }
    void operator()(const Freed &event) { add(TraceKind::Freed, event); }
    void operator()(const Returned &event)
    {
        TraceEvent &line = add(TraceKind::Returned, event);
        if (event.ret != 0) {
            line.errnum = -event.ret;
        }
        of_attempt(line, event.tid);
    }
    void operator()(const TaskGone &event)
    {
        of_attempt(add(TraceKind::Crashed, event), event.tid);
    }
    void operator()(const LossesSeen &event)
    {
        if (more_ != 0) {
            add(TraceKind::Lost, event).lost = more_;
        }
    }
    void operator()(const DeniedSeen &event)
    {
        if (more_ != 0) {
            add(TraceKind::Denied, event).denied = more_;
        }
    }
    void operator()(const Command &event) { add(TraceKind::Command, event).detail = event.text; }
    void operator()(const CommandEnd &event)
    {
        add(TraceKind::CommandEnd, event).status = event.status;
    }
    void operator()(const NotAttempted &event)
    {
        add(TraceKind::NotAttempted, event).detail = event.reason;
    }
    // What only feeds the ledger makes no line.
    void operator()(const SiteSeen &) {}
    void operator()(const SnapshotBegin &) {}
    void operator()(const ModuleSeen &) {}
    void operator()(const Cell &) {}
    void operator()(const SnapshotEnd &) {}
    void operator()(const End &) {}

    std::vector<TraceEvent> take() { return std::move(lines_); }

private:
    static CallSite site_of(const ModuleRequest &request)
    {
        return {request.call_site, short_symbol(request.symbol)};
    }

    TraceEvent &add(TraceKind kind, const EventHeader &head)
    {
        TraceEvent &line = lines_.emplace_back();
        line.kind = kind;
        line.ts_ns = head.ts_ns;
        line.module = head.module;
        line.task = {head.pid, head.comm};
        line.tid = head.tid;
        name(line, head.instance_id);
        return line;
    }

    void name(TraceEvent &line, std::uint64_t instance_id)
    {
        if (const Instance *instance = instances_.find(instance_id)) {
            line.module = instance->name;
            line.instance_id = instance_id;
            line.generation = instance->generation;
        }
    }

    /// A return does not say of which module: its attempt does.
    void of_attempt(TraceEvent &line, std::uint32_t tid)
    {
        const Attempt *attempt = tracker_.of_task(tid);
        if (line.instance_id || attempt == nullptr) {
            return;
        }
        if (line.module.empty()) {
            line.module = attempt->name;
        }
        name(line, attempt->instance_id);
    }

    const UnloadTracker &tracker_;
    const InstanceTable &instances_;
    const SiteTable &sites_;
    const ModuleRequests &requests_;
    std::uint64_t more_;
    std::vector<TraceEvent> lines_;
};

} // namespace

std::vector<TraceEvent> trace_lines(const Event &event, const UnloadTracker &tracker,
                                    const InstanceTable &instances, const SiteTable &sites,
                                    const ModuleRequests &requests, std::uint64_t more)
{
    LineMaker maker(tracker, instances, sites, requests, more);
    std::visit(maker, event);
    return maker.take();
}

} // namespace lastref
