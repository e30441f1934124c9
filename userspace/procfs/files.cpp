// SPDX-License-Identifier: GPL-2.0-only
#include "procfs/files.h"

#include "procfs/parse.h"

#include <fstream>
#include <sstream>

namespace lastref::procfs {

std::string contents(const std::string &path)
{
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string first_line(const std::string &path)
{
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

std::optional<std::int64_t> number_in(const std::string &path)
{
    return whole_number(first_line(path));
}

} // namespace lastref::procfs
