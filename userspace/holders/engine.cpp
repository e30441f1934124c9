// SPDX-License-Identifier: GPL-2.0-only
#include "holders/engine.h"

#include "holders/processes.h"

namespace lastref::holders {

Result<Engine> load_engine(std::vector<NotExamined> &not_examined)
{
    auto source = BpfSource::load();
    if (!source) {
        return fail(source.error());
    }
    auto kernel = std::make_unique<census::Kernel>(**source);
    if (!kernel->has_types()) {
        return fail({"the kernel does not tell its own types", 0,
                     "use a kernel with CONFIG_DEBUG_INFO_BTF=y", ExitCode::Unsupported});
    }
    Engine engine{std::move(*source), std::move(kernel)};
    engine.unwinder = BpfUnwinder::load(engine.kernel->types().function("bpf_iter_task"));
    if (!engine.unwinder) {
        not_examined.push_back(
            {"tasks that run in the module", "this kernel does not accept the program for it"});
    }
    if (!in_first_pid_namespace()) {
        not_examined.push_back({"tasks outside of lastref's pid namespace that run in the module",
                                "the kernel shows it none of them: run it on the host, or in a "
                                "container that shares the host's pid namespace"});
    }
    return engine;
}

} // namespace lastref::holders
