/*
 * new: a lab to start from. What is written runs, and passes its own check.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "support/buffer.h"

#define LONGEST_NAME 64

/* %NAME% stands for the lab's name, %TITLE% for the same with a capital letter. */
static const char template[] =
    "-- %TITLE%: what this lab shows, in a sentence or two for whoever opens it.\n"
    "--\n"
    "--   handlens run ./%NAME%.lua        runs both ends and shows every packet in its call\n"
    "--   handlens check ./%NAME%.lua      runs it and judges what lab.check expects\n"
    "\n"
    "lab.title = \"%TITLE%\"\n"
    "lab.about = \"The client asks, the server answers in capitals.\"\n"
    "lab.port  = 7000                     -- the server's port; it listens before anybody "
    "connects\n"
    "\n"
    "-- One end of the conversation. It gets a socket that listens on lab.port.\n"
    "function lab.server(listener)\n"
    "  local conn, peer = listener:accept()        -- waits for a client\n"
    "  print(\"connection from\", peer)\n"
    "  local message = conn:recv(1024)             -- nil when the peer has closed\n"
    "  while message do\n"
    "    conn:sendall(message:upper())\n"
    "    message = conn:recv(1024)\n"
    "  end\n"
    "  conn:close()\n"
    "end\n"
    "\n"
    "-- The other end. It gets the server's address. For several clients, name them:\n"
    "-- lab.clients.alice, lab.clients.bob, ...\n"
    "function lab.client(server)\n"
    "  local sock = socket.connect(server)\n"
    "  sock:sendall(\"is anybody there?\")\n"
    "  print(\"received\", sock:recv(1024))\n"
    "  sock:close()\n"
    "end\n"
    "\n"
    "-- What must be so, for 'handlens check'. Lines of 'handlens run --as packets' can be pasted\n"
    "-- into expect.order.\n"
    "function lab.check(trace)\n"
    "  local flow = trace:flow(1)\n"
    "  expect.equal(flow.handshake, \"SYN, SYN ACK, ACK\")\n"
    "  expect.equal(flow.client.sent, \"is anybody there?\")\n"
    "  expect.equal(flow.server.sent, \"IS ANYBODY THERE?\")\n"
    "  expect.order(trace, \"client SYN\", \"...\", \"client FIN ACK\", \"...\", \"server FIN "
    "ACK\")\n"
    "  expect.sound(trace)               -- each packet fits those before it: none was lost or "
    "edited\n"
    "end\n";

/* The template with the name put in. */
static void fill(struct buffer *out, const char *name)
{
    for (const char *at = template; *at != '\0';) {
        bool is_name = strncmp(at, "%NAME%", 6) == 0;
        if (is_name || strncmp(at, "%TITLE%", 7) == 0) {
            size_t start = out->length;
            buffer_append_text(out, name);
            if (!is_name && !out->failed)
                out->data[start] = (uint8_t)toupper(out->data[start]);
            at += is_name ? 6 : 7;
        } else {
            buffer_append_byte(out, (uint8_t)*at++);
        }
    }
}

/* Names are what 'handlens run NAME' and require take: letters, digits, _ and -. */
static bool is_name(const char *name, size_t length)
{
    if (length == 0 || length > LONGEST_NAME || !isalnum((unsigned char)name[0]))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)name[i]) && name[i] != '_' && name[i] != '-')
            return false;
    }
    return true;
}

static bool write_file(const char *path, const struct buffer *text, struct error *error)
{
    FILE *file = fopen(path, "wx");
    if (file == NULL && errno == EEXIST)
        return error_set(error, STATUS_USAGE, "%s exists already; choose another name", path);
    if (file == NULL)
        return error_set(error, STATUS_NOT_ALLOWED, "cannot make %s: %s", path, strerror(errno));
    bool done = fwrite(text->data, 1, text->length, file) == text->length;
    int failure = errno;
    if (fclose(file) != 0 && done) {
        done = false;
        failure = errno;
    }
    if (!done) {
        remove(path);
        error_set(error, STATUS_NOT_ALLOWED, "cannot write %s: %s", path, strerror(failure));
    }
    return done;
}

static enum status run_new(const struct invocation *invocation, struct error *error)
{
    char name[LONGEST_NAME + 1];
    const char *given = invocation->operands[0];
    size_t length = strlen(given);
    if (length > 4 && strcmp(given + length - 4, ".lua") == 0)
        length -= 4;
    if (!is_name(given, length)) {
        error_set(error, STATUS_USAGE,
                  "a lab's name is made of letters, digits, _ and -, at most %d, and begins with "
                  "a letter or digit: not '%s'",
                  LONGEST_NAME, given);
        return error->status;
    }
    memcpy(name, given, length);
    name[length] = '\0';
    char path[LONGEST_NAME + 8];
    snprintf(path, sizeof path, "%s.lua", name);
    struct buffer text = {0};
    fill(&text, name);
    bool done = text.failed ? error_out_of_memory(error) : write_file(path, &text, error);
    buffer_free(&text);
    if (!done)
        return error->status;
    if (!invocation->quiet)
        printf("%s is a lab that runs. Try:  handlens run ./%s\n", path, path);
    return STATUS_DONE;
}

const struct command command_new = {
    .bit = COMMAND_NEW,
    .name = "new",
    .operands = "NAME",
    .summary = "write a small lab to start from",
    .about = "Writes NAME.lua into the current folder: a small lab with comments that runs and\n"
             "passes its own check.",
    .examples = "  handlens new mine && handlens run ./mine.lua\n",
    .least_operands = 1,
    .most_operands = 1,
    .run = run_new,
};
