// SPDX-License-Identifier: GPL-2.0-only
#include "census/search.h"

#include <array>

namespace lastref::census {
namespace {

constexpr Words words{
    .detail = "a DMA buffer of {exporter}, which no process has open",
    .clause = "a driver has a DMA buffer of {exporter}",
};

/// What kernels call the list of all DMA buffers, the newest name first. The second is there with
/// debugfs only.
constexpr std::array lists{"dmabuf_list", "debugfs_list", "db_list"};

/// dma_buf_export() in drivers/dma-buf/dma-buf.c takes a reference, whoever has the buffer's file.
/// A process that has it open is found by that file, and is the same object.
void look(Search &search)
{
    auto &kernel = search.kernel();
    if (!kernel.has_type("dma_buf")) {
        return;
    }
    Address list = 0;
    for (const auto *name : lists) {
        list = list != 0 ? list : kernel.symbol_if_any(name);
    }
    if (list == 0) {
        search.not_examined("DMA buffers without a file",
                            "the kernel's symbols do not tell where dmabuf_list is");
        return;
    }
    each_in_list(kernel.at(list, "list_head"), "dma_buf", "list_node", [&](const Object &buffer) {
        if (!search.is_target(buffer["owner"])) {
            return;
        }
        const auto inode = buffer["file"]["f_inode"]["i_ino"].number();
        auto &found = search.found("dma_buf", words, buffer["file"], 1);
        found.path = "dmabuf:[" + std::to_string(inode.value_or(0)) + "]";
        found.with("exporter", buffer["exp_name"].text());
    });
}

constexpr Reference references[] = {
    {"`dma_buf`, or `open_file`", "1 for the exporter, however many have the buffer",
     "`dma_buf_export()`",
     "`db_list` (6.1), `debugfs_list` (6.12), `dmabuf_list` (since), and the file tables"},
};
constexpr Doc doc{"Somebody has a DMA buffer that the module has exported", references,
                  "Who has it open ends; of a driver's own, nothing"};

} // namespace

extern const Kind dma_bufs{"DMA buffers", doc, {}, look};

} // namespace lastref::census
