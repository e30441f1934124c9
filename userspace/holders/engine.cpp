// SPDX-License-Identifier: GPL-2.0-only
#include "holders/engine.h"

namespace lastref::holders {

Result<Engine> load_engine(Machine &machine, std::vector<NotExamined> &not_examined)
{
    const auto source = machine.source();
    if (!source) {
        return fail(source.error());
    }
    auto kernel = std::make_unique<census::Kernel>(**source);
    if (!kernel->has_types()) {
        return fail({"the kernel does not tell its own types", 0,
                     "use a kernel with CONFIG_DEBUG_INFO_BTF=y", ExitCode::Unsupported});
    }
    Engine engine{std::move(kernel)};
    engine.unwinder = machine.unwinder(engine.kernel->types().function("bpf_iter_task"));
    if (engine.unwinder == nullptr) {
        not_examined.push_back({"tasks that run in the module", machine.no_unwinder()});
    }
    if (!machine.in_first_pid_namespace()) {
        not_examined.push_back({"tasks outside of lastref's pid namespace that run in the module",
                                "the kernel shows it none of them: run it on the host, or in a "
                                "container that shares the host's pid namespace"});
    }
    return engine;
}

} // namespace lastref::holders
