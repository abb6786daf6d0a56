#include "command/step_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ESCAPE 27

/* For the signal handlers alone. */
static struct step_terminal *taken;

static const int signals[STEP_SIGNALS] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH};

/* By another handler, the loop's, the exchange hears of it too. */
static void pass_on(int number)
{
    for (size_t i = 0; i < STEP_SIGNALS; i++) {
        void (*before)(int) = taken->actions[i].sa_handler;
        if (signals[i] == number && before != SIG_DFL && before != SIG_IGN)
            before(number);
    }
}

/* All that is done here may be done in a signal handler: write, tcsetattr, raise. */
static void on_signal(int number)
{
    int error = errno;
    char letter = number == SIGWINCH ? 'r' : number == SIGTSTP ? 'z' : 'q';
    if (number == SIGTSTP) {
        tcsetattr(taken->keys, TCSANOW, &taken->before);
        raise(SIGSTOP);
        tcsetattr(taken->keys, TCSANOW, &taken->during);
    } else if (number == SIGHUP || number == SIGQUIT) {
        raise(SIGTERM); /* which ends the exchange, and keeps its trace */
    } else {
        pass_on(number);
    }
    ssize_t written = write(taken->wake[1], &letter, 1); /* full: it will be woken anyway */
    (void)written;
    errno = error;
}

static void measure(struct step_terminal *terminal)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        return;
    if (size.ws_col > 0) {
        terminal->columns = size.ws_col < 2 ? 2 : size.ws_col;
        terminal->terminal.columns = size.ws_col < 40 ? 40 : size.ws_col;
    }
    terminal->rows = size.ws_row > 0 ? size.ws_row : 24;
}

bool step_terminal_open(struct step_terminal *terminal, enum color_choice color,
                        struct error *error)
{
    *terminal = (struct step_terminal){.keys = -1, .wake = {-1, -1}, .rows = 24};
    const char *kind = getenv("TERM");
    bool moves = kind != NULL && kind[0] != '\0' && strcmp(kind, "dumb") != 0;
    if (isatty(STDOUT_FILENO) == 1 && moves) {
        terminal->owns = isatty(STDIN_FILENO) != 1;
        terminal->keys = terminal->owns ? open("/dev/tty", O_RDWR | O_CLOEXEC) : STDIN_FILENO;
    }
    if (terminal->keys < 0 || tcgetattr(terminal->keys, &terminal->before) != 0)
        return error_set(
            error, STATUS_USAGE,
            "--step needs a terminal to show each call on and to type at, and one whose "
            "cursor can be moved (TERM is %s)",
            kind == NULL ? "not set" : kind);
    if (pipe2(terminal->wake, O_CLOEXEC | O_NONBLOCK) != 0)
        return error_set(error, STATUS_NOT_ALLOWED,
                         "--step cannot watch the keyboard: no pipe can be made: %s",
                         strerror(errno));
    terminal->terminal = terminal_of(STDOUT_FILENO, color);
    terminal->columns = terminal->terminal.columns;
    terminal->during = terminal->before;
    terminal->during.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    terminal->during.c_cc[VMIN] = 1;
    terminal->during.c_cc[VTIME] = 0;
    measure(terminal);
    return true;
}

void step_terminal_take(struct step_terminal *terminal)
{
    if (terminal->taken)
        return;
    terminal->taken = true;
    taken = terminal;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < STEP_SIGNALS; i++)
        sigaction(signals[i], &action, &terminal->actions[i]);
    tcsetattr(terminal->keys, TCSADRAIN, &terminal->during);
}

void step_terminal_give(struct step_terminal *terminal)
{
    if (!terminal->taken)
        return;
    tcsetattr(terminal->keys, TCSADRAIN, &terminal->before);
    for (size_t i = 0; i < STEP_SIGNALS; i++) {
        struct sigaction now;
        sigaction(signals[i], NULL, &now);
        /* The loop has put back its own when the exchange ended: then it stays so. */
        if (now.sa_handler == on_signal)
            sigaction(signals[i], &terminal->actions[i], NULL);
    }
    terminal->taken = false;
}

static void write_out(struct step_terminal *terminal)
{
    struct buffer *out = &terminal->out;
    for (size_t done = 0; done < out->length;) {
        ssize_t wrote = write(STDOUT_FILENO, out->data + done, out->length - done);
        if (wrote < 0 && errno != EINTR && errno != EAGAIN)
            break; /* the terminal has gone: reading from it will say so */
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    buffer_clear(out);
}

/* To the start of the block's first row, with nothing behind. */
static void erase_block(struct step_terminal *terminal)
{
    if (terminal->shown == 0)
        return;
    size_t columns = (size_t)terminal->columns;
    size_t rows = 0;
    for (size_t i = 0; i < terminal->shown; i++)
        rows += terminal->widths[i] == 0 ? 1 : (terminal->widths[i] + columns - 1) / columns;
    if (rows > 1)
        buffer_printf(&terminal->out, "\033[%zuA", rows - 1);
    buffer_append_text(&terminal->out, "\r\033[J");
    terminal->shown = 0;
}

void step_terminal_put(struct step_terminal *terminal, const void *text, size_t length)
{
    if (length == 0)
        return;
    erase_block(terminal);
    buffer_append(&terminal->out, text, length);
}

/* The lines as they are to stand there, and how wide each then is. */
static void compose(const struct step_terminal *terminal, const char *const *lines, size_t count,
                    struct buffer *block, size_t *widths)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = lines[i] + 1;
        /* One column stays free: a full row may or may not begin another. */
        size_t fits = terminal_fit(text, strlen(text), (size_t)terminal->columns - 1);
        bool styled = terminal->terminal.color && lines[i][0] != '0';
        if (i > 0)
            buffer_append_byte(block, '\n');
        if (styled)
            buffer_printf(block, "\033[%cm", lines[i][0]);
        buffer_append(block, text, fits);
        if (styled)
            buffer_append_text(block, "\033[0m");
        widths[i] = terminal_width(text, fits);
    }
}

/* Whether drawing the block would change nothing. */
static bool stands_there(const struct step_terminal *terminal, const struct buffer *block)
{
    return terminal->shown > 0 && terminal->out.length == 0 &&
           terminal->drawn_columns == terminal->columns && block->data != NULL &&
           terminal->block.length == block->length &&
           memcmp(terminal->block.data, block->data, block->length) == 0;
}

void step_terminal_show(struct step_terminal *terminal, const char *const *lines, size_t count)
{
    struct buffer block = {0};
    size_t widths[STEP_BLOCK_ROWS];
    if (count > STEP_BLOCK_ROWS)
        count = STEP_BLOCK_ROWS;
    compose(terminal, lines, count, &block, widths);
    if (stands_there(terminal, &block)) {
        buffer_free(&block);
        return;
    }
    erase_block(terminal);
    buffer_append(&terminal->out, block.data, block.length);
    memcpy(terminal->widths, widths, sizeof widths);
    terminal->shown = count;
    terminal->drawn_columns = terminal->columns;
    buffer_free(&terminal->block);
    terminal->block = block;
    write_out(terminal);
}

void step_terminal_clear(struct step_terminal *terminal)
{
    erase_block(terminal);
    write_out(terminal);
}

/* Returns a key of those that have been read, or -1. */
static int next_key(struct step_terminal *terminal)
{
    while (terminal->read_at < terminal->read_end) {
        uint8_t byte = terminal->read[terminal->read_at++];
        if (byte != ESCAPE || terminal->read_at == terminal->read_end)
            return byte;
        uint8_t kind = terminal->read[terminal->read_at];
        if (kind != '[' && kind != 'O')
            return byte;
        terminal->read_at++;
        while (terminal->read_at < terminal->read_end && terminal->read[terminal->read_at] < '@')
            terminal->read_at++;
        terminal->read_at += terminal->read_at < terminal->read_end;
    }
    return -1;
}

/* A signal came. Returns the key that it stands for. */
static int take_wake(struct step_terminal *terminal)
{
    char letters[32];
    ssize_t got = read(terminal->wake[0], letters, sizeof letters);
    measure(terminal);
    if (got > 0 && memchr(letters, 'z', (size_t)got) != NULL)
        terminal->shown = 0; /* the shell has written below it meanwhile */
    return got > 0 && memchr(letters, 'q', (size_t)got) != NULL ? STEP_ENDED : STEP_RESIZED;
}

static int read_key(struct step_terminal *terminal, int patience)
{
    struct pollfd polls[2] = {{.fd = terminal->keys, .events = POLLIN},
                              {.fd = terminal->wake[0], .events = POLLIN}};
    for (;;) {
        int key = next_key(terminal);
        if (key >= 0)
            return key;
        int ready = poll(polls, 2, patience);
        if (ready == 0)
            return STEP_NO_KEY;
        if (ready < 0 && errno != EINTR)
            return STEP_ENDED;
        if (ready < 0)
            continue;
        if ((polls[1].revents & POLLIN) != 0)
            return take_wake(terminal);
        if (polls[0].revents == 0)
            continue;
        ssize_t got = read(terminal->keys, terminal->read, sizeof terminal->read);
        if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
            return STEP_ENDED;
        terminal->read_at = 0;
        terminal->read_end = got > 0 ? (size_t)got : 0;
    }
}

int step_terminal_key(struct step_terminal *terminal)
{
    return read_key(terminal, -1);
}

int step_terminal_pressed(struct step_terminal *terminal)
{
    return read_key(terminal, 0);
}

void step_terminal_close(struct step_terminal *terminal)
{
    step_terminal_clear(terminal);
    step_terminal_give(terminal);
    if (terminal->owns && terminal->keys >= 0)
        close(terminal->keys);
    for (int i = 0; i < 2; i++)
        if (terminal->wake[i] >= 0)
            close(terminal->wake[i]);
    buffer_free(&terminal->out);
    buffer_free(&terminal->block);
}
