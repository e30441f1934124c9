// SPDX-License-Identifier: GPL-2.0-only
// libfmt as an archive, which Debian does not package: its functions are those of the header-only
// form, kept although nothing here calls them (-fkeep-inline-functions).
#define FMT_HEADER_ONLY
#include <fmt/format.h>
