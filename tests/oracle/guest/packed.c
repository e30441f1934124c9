// SPDX-License-Identifier: GPL-2.0-only
// An emulated serial port takes as long for a few hundred bytes as the rest of a step does, and one
// answer is much like the one before: they are sent as one zlib stream, with all of it out at each
// flush.

#include "oracle.h"

#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

enum { LINE_BYTES = 1 << 17, PIECE_BYTES = 1 << 14 };

static z_stream stream;

static void write_all(const unsigned char *data, size_t length)
{
    while (length) {
        ssize_t written = write(1, data, length);

        if (written < 0)
            die("cannot write", "answers");
        data += written;
        length -= written;
    }
}

static ssize_t pack(void *cookie, const char *data, size_t length)
{
    static unsigned char piece[PIECE_BYTES];

    (void)cookie;
    stream.next_in = (unsigned char *)data;
    stream.avail_in = length;
    do {
        stream.next_out = piece;
        stream.avail_out = sizeof(piece);
        if (deflate(&stream, Z_SYNC_FLUSH) == Z_STREAM_ERROR)
            die("cannot pack", "an answer");
        write_all(piece, sizeof(piece) - stream.avail_out);
    } while (!stream.avail_out);
    return length;
}

void answers_packed(void)
{
    static char line[LINE_BYTES];

    if (deflateInit(&stream, Z_BEST_SPEED) != Z_OK)
        die("cannot pack", "answers");
    stdout = fopencookie(NULL, "w", (cookie_io_functions_t){.write = pack});
    if (!stdout)
        die("cannot write", "answers");
    setvbuf(stdout, line, _IOFBF, sizeof(line));
}
