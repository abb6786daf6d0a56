#include "manual/mdoc.h"

#include <ctype.h>
#include <string.h>

#define LONGEST_LINE 90

/* What roff would take for something else, or would draw otherwise. */
static const char *escape_of(char byte)
{
    switch (byte) {
    case '\\':
        return "\\e";
    case '"':
        return "\\(dq";
    case '\'':
        return "\\(aq";
    case '`':
        return "\\(ga";
    case '^':
        return "\\(ha";
    case '~':
        return "\\(ti";
    case '-':
        return "\\-";
    default:
        return NULL;
    }
}

/* The character of two to four bytes at text; the sources are valid UTF-8. */
static size_t append_character(struct buffer *out, const char *text)
{
    unsigned char first = (unsigned char)text[0];
    size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    unsigned code = first & (0x7fU >> length);
    for (size_t i = 1; i < length; i++)
        code = code << 6 | ((unsigned char)text[i] & 0x3f);
    buffer_printf(out, "\\[u%04X]", code);
    return length;
}

void mdoc_append_escaped(struct buffer *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        const char *escape = escape_of(text[i]);
        if ((unsigned char)text[i] >= 0xc0) {
            i += append_character(out, text + i);
            continue;
        }
        if (escape != NULL)
            buffer_append_text(out, escape);
        else
            buffer_append_byte(out, (uint8_t)text[i]);
        i++;
    }
}

/* The name of a value or an operand, of any command: "FILE". */
static bool is_value_name(const char *word, size_t length)
{
    if (length == 0 || strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") < length)
        return false;
    for (size_t i = 0; i < option_count; i++) {
        const char *value = option_table[i].value;
        if (value != NULL && strlen(value) == length && strncmp(value, word, length) == 0)
            return true;
    }
    for (const struct command *const *each = commands; *each != NULL; each++) {
        for (const char *at = (*each)->operands;
             (at = strpbrk(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"));) {
            size_t name = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
            if (name == length && strncmp(at, word, length) == 0)
                return true;
            at += name;
        }
    }
    return false;
}

/* Running text on its way: the line that is being filled. */
struct line {
    struct buffer *out;
    size_t start; /* where it begins in out */
};

static void end_line(struct line *line)
{
    if (line->out->length > line->start)
        buffer_append_byte(line->out, '\n');
    line->start = line->out->length;
}

/* A macro with one argument, and the punctuation behind it as arguments of their own. */
static void add_macro(struct line *line, const char *macro, const char *word, size_t length,
                      const char *behind, size_t behind_length)
{
    end_line(line);
    buffer_printf(line->out, ".%s ", macro);
    mdoc_append_escaped(line->out, word, length);
    for (size_t i = 0; i < behind_length; i++)
        buffer_printf(line->out, " %c", behind[i]);
    end_line(line);
}

static void add_plain(struct line *line, const char *word, size_t length)
{
    if (line->out->length - line->start + length > LONGEST_LINE)
        end_line(line);
    if (line->out->length > line->start)
        buffer_append_byte(line->out, ' ');
    else if (word[0] == '.' || word[0] == '\'')
        buffer_append_text(line->out, "\\&");
    mdoc_append_escaped(line->out, word, length);
    if (word[length - 1] == '.')
        end_line(line);
}

static bool is_option(const char *word, size_t length)
{
    return length > 1 && word[0] == '-' &&
           (isalpha((unsigned char)word[1]) || (length > 2 && word[1] == '-'));
}

/* How long the quotation at text is, with both quotes; 0 if none begins here. */
static size_t quotation(const char *text)
{
    const char *end = text[0] == '\'' ? strchr(text + 1, '\'') : NULL;
    return end == NULL ? 0 : (size_t)(end - text) + 1;
}

void mdoc_append_text(struct buffer *out, const char *text)
{
    struct line line = {.out = out, .start = out->length};
    for (text += strspn(text, " \n"); *text != '\0'; text += strspn(text, " \n")) {
        size_t quoted = quotation(text);
        size_t length = quoted + strcspn(text + quoted, " \n");
        size_t core = quoted > 0 ? quoted : length;
        while (quoted == 0 && core > 0 && strchr(".,;:)", text[core - 1]) != NULL)
            core--;
        const char *behind = text + core;
        if (quoted > 2)
            add_macro(&line, "Ql", text + 1, quoted - 2, behind, length - core);
        else if (is_option(text, core))
            add_macro(&line, "Fl", text + 1, core - 1, behind, length - core);
        else if (is_value_name(text, core))
            add_macro(&line, "Ar", text, core, behind, length - core);
        else
            add_plain(&line, text, length);
        text += length;
    }
    end_line(&line);
}

/* "LAB [FILE...]": each operand as an argument. */
static void append_operands(struct buffer *out, const char *operands)
{
    for (const char *at = operands; *at != '\0';) {
        size_t length = strcspn(at, " ");
        bool optional = at[0] == '[';
        const char *name = at + optional;
        size_t letters = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        buffer_printf(out, "%sAr %.*s%s", optional ? "Op " : "", (int)letters, name,
                      name[letters] == '.' ? " ..." : "");
        at += length + strspn(at + length, " ");
        buffer_append_text(out, *at != '\0' ? " " : "");
    }
}

/* What stands behind "Fl", which makes the first dash. */
static void append_long_option(struct buffer *out, const struct option_row *row)
{
    mdoc_append_escaped(out, "-", 1);
    mdoc_append_escaped(out, row->name, strlen(row->name));
}

static void append_value(struct buffer *out, const struct option_row *row)
{
    if (row->value != NULL)
        buffer_printf(out, " Ar %s", row->value);
}

void mdoc_append_synopsis(struct buffer *out)
{
    for (const struct command *const *each = commands; *each != NULL; each++) {
        buffer_printf(out, ".Nm\n.Cm %s\n", (*each)->name);
        for (size_t i = 0; i < option_count; i++) {
            const struct option_row *row = &option_table[i];
            if (!(row->commands & (*each)->bit) || row->commands == COMMAND_ALL)
                continue;
            buffer_append_text(out, ".Op Fl ");
            if (row->letter != 0)
                buffer_append_byte(out, (uint8_t)row->letter);
            else
                append_long_option(out, row);
            append_value(out, row);
            buffer_append_byte(out, '\n');
        }
        if ((*each)->operands[0] != '\0') {
            buffer_append_byte(out, '.');
            append_operands(out, (*each)->operands);
            buffer_append_byte(out, '\n');
        }
    }
}

void mdoc_append_command_item(struct buffer *out, const struct command *command)
{
    buffer_printf(out, ".It Cm %s%s", command->name, command->operands[0] == '\0' ? "" : " ");
    append_operands(out, command->operands);
    buffer_append_byte(out, '\n');
}

void mdoc_append_command_text(struct buffer *out, const struct command *command)
{
    mdoc_append_text(out, command->about);
}

void mdoc_append_option_item(struct buffer *out, const struct option_row *row)
{
    buffer_append_text(out, ".It Fl ");
    if (row->letter != 0)
        buffer_printf(out, "%c , ", row->letter);
    append_long_option(out, row);
    append_value(out, row);
    buffer_append_byte(out, '\n');
    if (row->commands == COMMAND_ALL)
        return;
    buffer_append_text(out, ".Pq Cm");
    const char *before = "";
    for (const struct command *const *each = commands; *each != NULL; each++) {
        if (!(row->commands & (*each)->bit))
            continue;
        buffer_printf(out, "%s %s", before, (*each)->name);
        before = " ,";
    }
    buffer_append_byte(out, '\n');
}

/* The help's line as a sentence. */
void mdoc_append_option_text(struct buffer *out, const struct option_row *row)
{
    struct buffer sentence = {0};
    const char *word = option_word(row, 0);
    bool is_list = word != NULL && strncmp(row->help, word, strlen(word)) == 0;
    buffer_printf(&sentence, "%s%s.", is_list ? "One of " : "", row->help);
    if (!sentence.failed)
        sentence.data[0] = (uint8_t)toupper(sentence.data[0]);
    mdoc_append_text(out, buffer_text(&sentence));
    buffer_free(&sentence);
}

/* "  handlens view a.pcap   what it does": the words, then the command. */
static void append_example(struct buffer *out, const char *line, size_t length)
{
    size_t start = strspn(line, " ");
    size_t end = start;
    while (end < length && strncmp(line + end, "  ", 2) != 0)
        end++;
    size_t words = end + strspn(line + end, " ");
    if (words < length) {
        struct buffer sentence = {0};
        buffer_printf(&sentence, "%.*s:", (int)(length - words), line + words);
        if (!sentence.failed)
            sentence.data[0] = (uint8_t)toupper(sentence.data[0]);
        mdoc_append_text(out, buffer_text(&sentence));
        buffer_free(&sentence);
    }
    buffer_append_text(out, ".Dl ");
    mdoc_append_escaped(out, line + start, end - start);
    buffer_append_byte(out, '\n');
}

void mdoc_append_examples(struct buffer *out)
{
    const char *space = "";
    for (const struct command *const *each = commands; *each != NULL; each++) {
        for (const char *line = (*each)->examples; *line != '\0';) {
            size_t length = strcspn(line, "\n");
            if (length > 0) {
                buffer_append_text(out, space);
                append_example(out, line, length);
                space = ".Pp\n";
            }
            line += length + (line[length] == '\n');
        }
    }
}
