// SPDX-License-Identifier: GPL-2.0-only
#include "base/files.h"

#include "base/text.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lastref {
namespace {

/// What it is that is no regular file.
std::string_view kind_of(mode_t mode)
{
    return S_ISDIR(mode) ? "a directory" : S_ISFIFO(mode) ? "a pipe" : "a device";
}

} // namespace

Result<Fd> make_file(const std::string &path, std::string_view what)
{
    // O_EXCL also refuses a symbolic link, even one that leads nowhere.
    Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd.valid()) {
        const int error = errno;
        return fail({fmt::format("cannot make {} {}", what, escape_text(path)), error,
                     error == EEXIST ? "nothing that is there is overwritten: choose another name"
                                     : "choose a place where a file can be made"});
    }
    return fd;
}

void sync_folder_of(const std::string &path)
{
    const auto slash = path.rfind('/');
    const auto folder = slash == path.npos ? "." : path.substr(0, slash + 1);
    const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.valid()) {
        ::fsync(fd.get());
    }
}

Written write_all(const Fd &fd, std::span<const std::byte> bytes)
{
    Written out;
    while (out.bytes < bytes.size()) {
        const auto written = ::write(fd.get(), bytes.data() + out.bytes, bytes.size() - out.bytes);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            out.error = written < 0 ? errno : EIO;
            break;
        }
        out.bytes += static_cast<std::size_t>(written);
    }
    return out;
}

Result<Fd> open_file(const std::string &path, std::string_view what, std::string_view made_by)
{
    // A pipe that nobody writes to would be waited for.
    Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat about {};
    if (!fd.valid() || ::fstat(fd.get(), &about) != 0) {
        const int error = errno;
        return fail({fmt::format("cannot open {} {}", what, escape_text(path)), error,
                     fmt::format("name a file that `{}` has made", made_by)});
    }
    if (!S_ISREG(about.st_mode)) {
        return fail({fmt::format("{} is {}, not a file", escape_text(path), kind_of(about.st_mode)),
                     0, fmt::format("copy {} into a file, and name that", what)});
    }
    return fd;
}

} // namespace lastref
