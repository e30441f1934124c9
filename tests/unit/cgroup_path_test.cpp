// SPDX-License-Identifier: GPL-2.0-only
// Whose processes a cgroup has, by its path, and what ends them without ending others.

#include "procfs/cgroup_path.h"
#include "render/holder_words.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace lastref::test {
namespace {

std::string stop_in_words(const procfs::Unit &unit)
{
    return unit.stop.is_known() ? in_words(Remedy{unit.stop}) : "";
}

using procfs::unit_of_cgroup;

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define USERS "/user.slice/user-1000.slice/user@1000.service"

struct Case {
    const char *path;
    const char *name;
    const char *container;
    const char *stop;
};

const Case cases[] = {
    // systemd's own units
    {"/", "", "", ""},
    {"", "", "", ""},
    {"/init.scope", "init.scope", "", ""},
    {"/system.slice/ssh.service", "ssh.service", "", "systemctl stop ssh.service"},
    {"/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", "",
     "systemctl stop getty@tty1.service"},
    {R"(/system.slice/systemd-fsck@dev-disk-by\x2duuid-1.service)",
     R"(systemd-fsck@dev-disk-by\x2duuid-1.service)", "",
     R"(systemctl stop 'systemd-fsck@dev-disk-by\x2duuid-1.service')"},
    {"/system.slice/_cpu.service", "cpu.service", "", "systemctl stop cpu.service"},
    {"/system.slice/snap.lxd.daemon.service", "snap.lxd.daemon.service", "",
     "systemctl stop snap.lxd.daemon.service"},
    {"/user.slice/user-1000.slice/session-3.scope", "session-3.scope", "", ""},
    {"/system.slice", "/system.slice", "", ""},
    {"/openrc.sshd", "/openrc.sshd", "", ""},
    // What is delegated belongs to somebody else.
    {"/system.slice/foo.service/worker", "foo.service", "", ""},
    {"/system.slice/foo.service/system.slice/ssh.service", "foo.service", "", ""},
    {"/system.slice/foo.scope/system.slice/ssh.service", "foo.scope", "", ""},
    {"/a/system.slice/ssh.service", "/a/system.slice/ssh.service", "", ""},
    {"/a.slice/system.slice/ssh.service", "/a.slice/system.slice/ssh.service", "", ""},
    {"/a.slice/a-b.slice/ssh.service", "ssh.service", "", "systemctl stop ssh.service"},
    {"/a/user@1000.service/b.service", "/a/user@1000.service/b.service", "", ""},
    // names that are no units', or would do harm in a shell
    {"/system.slice/.service", "/system.slice/.service", "", ""},
    {"/system.slice/--force.service", "--force.service", "", ""},
    {"/system.slice/a;reboot .service", "a;reboot .service", "", ""},
    {"/system.slice/*.service", "*.service", "", ""},
    // those of users
    {USERS "/app.slice/vpn.service", "vpn.service", "",
     "systemctl --user -M 1000@ stop vpn.service"},
    {USERS "/app.slice/vpn.service/sub", "vpn.service", "", ""},
    {USERS "/app.slice/app-gnome-org.gnome.Terminal-99.scope",
     "app-gnome-org.gnome.Terminal-99.scope", "", ""},
    {USERS "/init.scope", "user@1000.service", "", ""},
    {USERS, "user@1000.service", "", "systemctl stop user@1000.service"},
    {USERS "/app.slice", USERS "/app.slice", "", ""},
    {USERS "/user.slice/libpod-" ID ".scope/container", "libpod-" ID ".scope",
     "podman container 0123456789ab", ""},
    {USERS "/app.slice/docker.service/docker/" ID, "docker.service",
     "docker container 0123456789ab", ""},
    // podman, docker
    {"/machine.slice/libpod-" ID ".scope/container/system.slice/ssh.service", "libpod-" ID ".scope",
     "podman container 0123456789ab", "podman stop 0123456789ab"},
    {"/machine.slice/libpod-conmon-" ID ".scope", "libpod-conmon-" ID ".scope", "", ""},
    {"/libpod_parent/libpod-" ID, "/libpod_parent/libpod-" ID, "podman container 0123456789ab",
     "podman stop 0123456789ab"},
    {"/system.slice/docker-" ID ".scope", "docker-" ID ".scope", "docker container 0123456789ab",
     "docker stop 0123456789ab"},
    {"/system.slice/docker-" ID ".scope/init.scope", "docker-" ID ".scope",
     "docker container 0123456789ab", "docker stop 0123456789ab"},
    {"/docker/" ID, "/docker/" ID, "docker container 0123456789ab", "docker stop 0123456789ab"},
    {"/docker/" ID "/system.slice/ssh.service", "/docker/" ID "/system.slice/ssh.service",
     "docker container 0123456789ab", "docker stop 0123456789ab"},
    {"/docker/buildkit/x", "/docker/buildkit/x", "", ""},
    {"/system.slice/docker.service", "docker.service", "", "systemctl stop docker.service"},
    // docker in docker: the outer one is on this machine
    {"/docker/" ID "/docker/fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210",
     "/docker/" ID "/docker/fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210",
     "docker container 0123456789ab", "docker stop 0123456789ab"},
    // Kubernetes starts again whatever is stopped behind its back
    {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podab_c.slice/cri-containerd-" ID
     ".scope/system.slice/sshd.service",
     "cri-containerd-" ID ".scope", "Kubernetes container 0123456789ab", ""},
    {"/system.slice/containerd.service/kubepods-burstable-podab.slice:cri-containerd:" ID,
     "containerd.service", "Kubernetes container 0123456789ab", ""},
    {"/kubepods/besteffort/pod1-2/" ID, "/kubepods/besteffort/pod1-2/" ID,
     "Kubernetes container 0123456789ab", ""},
    {"/kubepods.slice/kubepods-pod1.slice/crio-" ID ".scope", "crio-" ID ".scope",
     "Kubernetes container 0123456789ab", ""},
    {"/kubepods.slice/kubepods-pod1.slice/docker-" ID ".scope", "docker-" ID ".scope",
     "Kubernetes container 0123456789ab", ""},
    {"/kubepods/pod1", "/kubepods/pod1", "a Kubernetes pod", ""},
    // others
    {"/system.slice/nerdctl-" ID ".scope", "nerdctl-" ID ".scope", "container 0123456789ab", ""},
    {"/actions_job/" ID, "/actions_job/" ID, "container 0123456789ab", ""},
    {"/lxc.payload.x", "/lxc.payload.x", "LXC container x", ""},
    {"/lxc.payload.x/system.slice/ssh.service", "/lxc.payload.x/system.slice/ssh.service",
     "LXC container x", ""},
    {"/lxc.payload/x/init.scope", "/lxc.payload/x/init.scope", "LXC container x", ""},
    {"/lxc/101/ns/system.slice/ssh.service", "/lxc/101/ns/system.slice/ssh.service",
     "LXC container 101", ""},
    {"/lxc.monitor.x", "/lxc.monitor.x", "", ""},
    {"/machine.slice/machine-web.scope/payload/system.slice/nginx.service", "machine-web.scope",
     "machine web", "machinectl poweroff web"},
    {R"(/machine.slice/machine-web\x2d1.scope/payload/init.scope)", R"(machine-web\x2d1.scope)",
     "machine web-1", "machinectl poweroff web-1"},
    {"/machine.slice/machine-web.scope/payload", "machine-web.scope", "machine web", ""},
    {"/machine.slice/machine-web.scope", "machine-web.scope", "machine web", ""},
    {R"(/machine.slice/machine-a\x3breboot.scope/payload/init.scope)",
     R"(machine-a\x3breboot.scope)", "machine a;reboot", ""},
    {"/machine.slice/systemd-nspawn@web.service/payload/system.slice/nginx.service",
     "systemd-nspawn@web.service", "machine web", "machinectl poweroff web"},
    {"/machine.slice/systemd-nspawn@web.service/supervisor", "systemd-nspawn@web.service", "", ""},
    {R"(/machine.slice/machine-qemu\x2d3\x2dvm\x2d1.scope/libvirt/emulator)",
     R"(machine-qemu\x2d3\x2dvm\x2d1.scope)", "virtual machine vm-1", "virsh shutdown 3"},
};

TEST(CgroupPath, SaysWhoseProcessesTheyAre)
{
    for (const auto &one : cases) {
        const auto unit = unit_of_cgroup(one.path);
        EXPECT_EQ(unit.name, one.name) << one.path;
        EXPECT_EQ(unit.container, one.container) << one.path;
        EXPECT_EQ(stop_in_words(unit), one.stop) << one.path;
    }
}

TEST(CgroupPath, NeverStopsAHostsUnitForOneInside)
{
    for (const auto &one : cases) {
        const auto inside = fmt::format("{}/system.slice/ssh.service", one.path);
        const bool of_the_host = std::string_view(one.path).size() <= 1 ||
                                 std::string_view(one.path).ends_with(".slice");
        if (!of_the_host) {
            EXPECT_FALSE(stop_in_words(unit_of_cgroup(inside)).starts_with("systemctl stop"))
                << inside;
        }
    }
}

TEST(CgroupPath, AUnitWithCgroupsInItIsNotStopped)
{
    EXPECT_FALSE(unit_of_cgroup("/system.slice/containerd.service", true).stop.is_known());
    EXPECT_FALSE(unit_of_cgroup(USERS "/app.slice/vpn.service", true).stop.is_known());
    EXPECT_EQ(stop_in_words(unit_of_cgroup("/system.slice/docker-" ID ".scope", true)),
              "docker stop 0123456789ab");
}

TEST(CgroupPath, KnowsWhoseServiceManagerHasTheUnit)
{
    EXPECT_EQ(unit_of_cgroup(USERS "/app.slice/vpn.service").user, 1000U);
    EXPECT_EQ(unit_of_cgroup("/system.slice/user@x.service/vpn.service").user, std::nullopt);
    EXPECT_EQ(unit_of_cgroup(USERS "/init.scope").user, std::nullopt);
    EXPECT_EQ(unit_of_cgroup("/system.slice/ssh.service").user, std::nullopt);
}

} // namespace
} // namespace lastref::test
