// SPDX-License-Identifier: GPL-2.0-only
// What comes out of the ring buffer: any bytes, record after record.

#include "decode/decode.h"
#include "documents.h"
#include "records.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    using namespace lastref;
    Session session;
    fuzz::Documents documents;
    for (const auto &record : fuzz::split_stream({data, size})) {
        if (const auto event = decode_record(std::as_bytes(std::span(record)))) {
            session.feed(*event);
            documents.trace(session);
        }
    }
    documents.judge(std::move(session));
    return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t *data, std::size_t size,
                                               std::size_t room, unsigned seed)
{
    using namespace lastref;
    auto records = fuzz::split_stream({data, size});
    fuzz::change(records, seed);
    return fuzz::store(fuzz::join_stream(records), data, room);
}
