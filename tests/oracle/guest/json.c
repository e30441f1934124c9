// SPDX-License-Identifier: GPL-2.0-only
// Documents go to the host over a serial port, which is slow (see packed.c): members that nobody
// compares are left out here. The rest is passed on as it is.

#include "oracle.h"

#include <stdio.h>
#include <string.h>

void json_string(const char *data)
{
    putchar('"');
    for (; *data; data++) {
        if (*data == '"' || *data == '\\')
            printf("\\%c", *data);
        else if ((unsigned char)*data < ' ')
            printf("\\u%04x", *data);
        else
            putchar(*data);
    }
    putchar('"');
}

// Behind the string that begins here.
static const char *after_string(const char *at)
{
    for (at++; *at && *at != '"'; at++)
        if (*at == '\\' && at[1])
            at++;
    return *at ? at + 1 : at;
}

// Behind the value that begins here.
static const char *after_value(const char *at)
{
    int depth = 0;

    while (*at) {
        if (*at == '"') {
            at = after_string(at);
        } else {
            if (depth == 0 && strchr(",]}", *at))
                return at;
            depth += *at == '{' || *at == '[';
            depth -= *at == '}' || *at == ']';
            at++;
        }
        if (depth == 0 && (at[-1] == '"' || at[-1] == ']' || at[-1] == '}'))
            return at;
    }
    return at;
}

static bool is_dropped(const char *name, size_t length, const char *const *dropped)
{
    for (; *dropped; dropped++)
        if (strlen(*dropped) == length && !memcmp(*dropped, name, length))
            return true;
    return false;
}

// Objects are taken apart, arrays and everything else are passed through piece by piece.
static const char *compact(const char *at, const char *const *dropped, struct text *to)
{
    char close = *at == '{' ? '}' : ']';
    bool object = *at == '{', first = true;

    if (*at != '{' && *at != '[') {
        const char *end = after_value(at);
        text_add(to, at, end - at);
        return end;
    }
    text_add(to, at++, 1);
    while (*at && *at != close) {
        const char *name = at, *value = object ? after_string(at) + 1 : at;

        if (object && is_dropped(name + 1, value - name - 3, dropped)) {
            at = after_value(value);
        } else {
            if (!first)
                text_add(to, ",", 1);
            first = false;
            text_add(to, name, value - name);
            at = compact(value, dropped, to);
        }
        if (*at == ',')
            at++;
    }
    text_add(to, &close, 1);
    return *at ? at + 1 : at;
}

// A document without spaces, such as lastref writes it, without the members called so.
void json_compact(const char *document, const char *const *dropped, struct text *to)
{
    text_clear(to);
    compact(document, dropped, to);
}
