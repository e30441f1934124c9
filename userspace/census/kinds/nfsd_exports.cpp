// SPDX-License-Identifier: GPL-2.0-only
#include "census/netfilter.h"
#include "census/paths.h"
#include "census/search.h"

#include <set>
#include <tuple>

/// What the kernel's NFS server exports it has open, as the mount that the path leads through: it
/// keeps that from being unmounted, until it forgets the export.
namespace lastref::census {
namespace {

constexpr Words exported{
    .detail = "nfsd exports it to {client}{where}: keeps the file system, not the module",
    .clause = "nfsd exports {path} to {client}",
};
constexpr Words looked_up{
    .detail = "nfsd has looked it up for {client}{where}: keeps the file system, not the module",
    .clause = "nfsd has looked up {path} for {client}",
};
constexpr auto nfsd = "nfsd", rpc = "sunrpc";

/// The super blocks that hold the module.
std::set<Address> file_systems(Search &search)
{
    std::set<Address> out;
    for (const auto &finding : search.findings()) {
        if (finding.kind == HolderKind::Mount && finding.object == finding.within) {
            out.insert(finding.object);
        }
    }
    return out;
}

/// Every entry of a struct cache_detail, as that structure, of which the first member is a struct
/// cache_head.
template <typename Visit>
void each_entry(const Object &cache, const char *structure, Visit visit)
{
    constexpr std::int64_t most = 1 << 16;
    const auto count = cache["hash_size"].number().value_or(0);
    if (count > most) {
        cache.kernel()->problems().cut.insert("a table of exports");
        return;
    }
    for (std::int64_t i = 0; i < count; i++) {
        each_in_hlist(cache["hash_table"][i], structure, "h.cache_list", visit, nfsd);
    }
}

/// What takes it back: mountd has put all names of a client together that match it.
std::vector<ShellCommand> how_to_take_back(std::string_view clients, const std::string &path)
{
    std::vector<ShellCommand> out;
    while (!clients.empty()) {
        const auto end = clients.find(',');
        const auto client = clients.substr(0, end);
        clients.remove_prefix(end == std::string_view::npos ? clients.size() : end + 1);
        if (client.starts_with('$')) { // made of an address: exports(5) has another name for it
            return {};
        }
        out.push_back({.arguments = {"exportfs", "-u", std::string(client) + ":" + path}});
    }
    return out;
}

class Exports {
public:
    explicit Exports(Search &search) : search_(search), file_systems_(file_systems(search)) {}
    [[nodiscard]] bool are_none() const { return file_systems_.empty(); }

    void look_at(const Object &net, const Object &server)
    {
        constexpr std::int64_t negative = 1 << 1; // CACHE_NEGATIVE in linux/sunrpc/cache.h
        each_entry(server["svc_export_cache"], "svc_export", [&](const Object &entry) {
            const bool is_export = (entry["h"]["flags"].number().value_or(0) & negative) == 0;
            report(net, entry["ex_path"], entry["ex_client"], is_export);
        });
        each_entry(server["svc_expkey_cache"], "svc_expkey", [&](const Object &entry) {
            report(net, entry["ek_path"], entry["ek_client"], false);
        });
    }

private:
    /// Each path once, of each client.
    void report(const Object &net, const Object &path, const Object &client, bool is_export)
    {
        const auto super_block = path["mnt"]["mnt_sb"].pointer();
        const auto place =
            std::tuple(client.pointer(), path["mnt"].pointer(), path["dentry"].pointer());
        if (!file_systems_.contains(super_block) || !known_.insert(place).second) {
            return;
        }
        const auto name = client.as("auth_domain", rpc)["name"].text();
        auto &found =
            search_.found(HolderKind::Mount, is_export ? exported : looked_up, Object(), 0);
        found.path = path_of(search_, path);
        found.within = super_block;
        found.sits_on = {super_block};
        found.netns = Search::number_of(net);
        found.with("client", name);
        found.commands = is_export ? how_to_take_back(name, found.path)
                                   : std::vector{ShellCommand{.arguments = {"exportfs", "-f"}}};
    }

    Search &search_;
    std::set<Address> file_systems_;
    std::set<std::tuple<Address, Address, Address>> known_; ///< client, mount, place
};

void look(Search &search)
{
    Exports exports(search);
    if (exports.are_none() ||
        (!search.has_module(nfsd) && search.kernel().symbol_if_any("nfsd:nfsd_net_id") == 0)) {
        return;
    }
    for (const auto &net : search.net_namespaces()) {
        exports.look_at(net, pernet_structure(net, "nfsd:nfsd_net_id", "nfsd_net", nfsd));
    }
}

constexpr Reference references[] = {
    {"`mount`", "none: nfsd, which exports it",
     "`svc_export_init()`, `expkey_init()`: `path_get()`",
     "the caches of exports of all network namespaces"},
};
constexpr Doc doc{"The NFS server exports a file system that holds the module, or a part of it",
                  references, "`exportfs -u`, and then `umount`"};

} // namespace

extern const Kind nfsd_exports{"exports of nfsd", doc, {}, look};

} // namespace lastref::census
