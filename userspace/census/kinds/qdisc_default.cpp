// SPDX-License-Identifier: GPL-2.0-only
#include "census/search.h"

namespace lastref::census {
namespace {

constexpr Words words{
    .detail = "net.core.default_qdisc is {name}",
    .clause = "{name} is the default queueing discipline (net.core.default_qdisc)",
    .remedy = "sysctl -w net.core.default_qdisc={other}",
};

/// qdisc_set_default() in net/sched/sch_api.c takes a reference.
void look(Search &search)
{
    const auto variable = search.kernel().symbol("default_qdisc_ops");
    const auto address = search.kernel().memory().read<Address>(variable).value_or(0);
    const auto operations = search.kernel().at(address, "Qdisc_ops");
    if (!search.is_target(operations["owner"])) {
        return;
    }
    const auto name = operations["id"].text();
    auto &found = search.found(HolderKind::SysctlDefault, words, operations, 1);
    found.object = variable;
    found.path = "net.core.default_qdisc";
    found.with("name", name).with("other", name == "pfifo_fast" ? "fq_codel" : "pfifo_fast");
}

constexpr Symbol symbols[] = {{"default_qdisc_ops", {}, "Qdisc_ops"}};

constexpr Reference references[] = {
    {"`sysctl_default`", "1 for the default queueing discipline", "`qdisc_set_default()`",
     "`default_qdisc_ops`"},
};
constexpr Doc doc{"New network devices get the module's queueing discipline", references,
                  "Another default: `sysctl -w net.core.default_qdisc=…`"};

} // namespace

extern const Kind qdisc_default{"the default queueing discipline", doc, symbols, look};

} // namespace lastref::census
