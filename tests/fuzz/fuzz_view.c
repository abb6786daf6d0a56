/*
 * fuzz_view.c - any bytes as a capture file, shown as every view there is.
 *
 * Input: one byte picks how (columns, colour, UTF-8, what is selected), the rest is the file. A
 * quarter of the files is followed by a mebibyte of nonsense, so that a thread reads them ahead.
 * Besides what the sanitizers see, views that fit a terminal must fit it: no line is wider.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trace/reader.h"
#include "view/view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Longer output than this is not measured. */
#define MEASURED (1 << 20)

#define NONSENSE (1 << 20)

static void must_fit(const char *text, size_t length, int columns)
{
    for (size_t at = 0; at < length;) {
        size_t kept = 0;
        char plain[65536];
        for (; at < length && text[at] != '\n'; at++) {
            if (text[at] == '\033')
                while (at + 1 < length && text[at] != 'm')
                    at++;
            else if (kept < sizeof plain)
                plain[kept++] = text[at];
        }
        at++;
        if (terminal_width(plain, kept) > (size_t)columns) {
            fprintf(stderr, "wider than %d: %.*s\n", columns, (int)kept, plain);
            abort();
        }
    }
}

static void show(int file, enum view_kind kind, const struct view_options *options)
{
    struct error error;
    if (lseek(file, 0, SEEK_SET) != 0)
        return;
    struct trace_reader *reader = trace_reader_from(file, "input", &error);
    if (reader == NULL)
        return;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out != NULL) {
        view_render(reader, kind, options, out, &error);
        fclose(out);
        bool fits = kind == VIEW_LADDER || kind == VIEW_BYTES || kind == VIEW_FLOWS ||
                    (kind == VIEW_STREAM && options->stream != STREAM_RAW);
        if (fits && length < MEASURED)
            must_fit(text, length, options->terminal.columns);
        free(text);
    }
    trace_reader_close(reader);
}

static bool make_file(int file, const uint8_t *bytes, size_t size, bool is_large)
{
    static uint8_t nonsense[NONSENSE];
    if (nonsense[0] == 0)
        memset(nonsense, 0xff, sizeof nonsense);
    if (ftruncate(file, 0) != 0 || pwrite(file, bytes, size, 0) != (ssize_t)size)
        return false;
    return !is_large || pwrite(file, nonsense, sizeof nonsense, (off_t)size) == NONSENSE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int widths[] = {80, 40, 64, 132};
    static int file = -1;
    if (file < 0)
        file = memfd_create("input", 0);
    unsigned how = size < 1 ? 0 : data[0];
    bool is_large = how >> 6 == 3;
    if (size < 1 || !make_file(file, data + 1, size - 1, is_large))
        return 0;
    struct view_options options = {
        .terminal = {.columns = widths[how & 3], .color = how & 4, .utf8 = how & 8},
        .file_name = "input",
        .flow = how & 16 ? 1 : 0,
        .number = how & 32 ? 1 : 0,
        .stream = (enum stream_form)(is_large ? 0 : how >> 6),
    };
    for (int kind = 0; kind < VIEW_KINDS; kind++)
        show(file, (enum view_kind)kind, &options);
    return 0;
}
