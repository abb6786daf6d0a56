#include "script/matcher.h"

#include <ctype.h>
#include <string.h>

#define DEEPEST       200 /* nested tries; as deep as Lua's own goes */
#define PATTERNS_KEPT 100 /* translated, for the next time */
#define LONGEST_KEPT  200

enum item_kind {
    ITEM_BYTE,     /* one byte, first */
    ITEM_ANY,      /* one byte, any */
    ITEM_SET,      /* one byte of the set */
    ITEM_OPEN,     /* "(" */
    ITEM_POSITION, /* "()" */
    ITEM_CLOSE,    /* ")" */
    ITEM_AGAIN,    /* "%1": what the capture first has, again */
    ITEM_BALANCED, /* "%bxy": from first to its second */
    ITEM_FRONTIER, /* "%f[set]" */
    ITEM_LAST,     /* "$": the end of the subject */
    ITEM_DONE,     /* the end of the pattern */
};

struct matcher_item {
    uint8_t kind;
    char repeat; /* '*', '+', '-', '?' or 0; for kinds of one byte */
    unsigned char first, second;
    uint32_t set[8]; /* a bit for each byte */
};

/* A pattern being translated. */
struct source {
    lua_State *L;
    const char *at, *end;
    int opened, unclosed; /* captures */
};

static bool set_has(const struct matcher_item *item, unsigned char byte)
{
    return (item->set[byte / 32] >> (byte % 32) & 1) != 0;
}

static void set_add(struct matcher_item *item, unsigned char byte)
{
    item->set[byte / 32] |= UINT32_C(1) << (byte % 32);
}

static int is_zero(int byte)
{
    return byte == 0;
}

/* The class that a letter stands for, as <ctype.h> has it; NULL: the letter is itself. */
static int (*class_of(int letter))(int)
{
    switch (tolower(letter)) {
    case 'a':
        return isalpha;
    case 'c':
        return iscntrl;
    case 'd':
        return isdigit;
    case 'g':
        return isgraph;
    case 'l':
        return islower;
    case 'p':
        return ispunct;
    case 's':
        return isspace;
    case 'u':
        return isupper;
    case 'w':
        return isalnum;
    case 'x':
        return isxdigit;
    case 'z': /* no longer in the manual, but still in Lua */
        return is_zero;
    default:
        return NULL;
    }
}

/* Adds what "%letter" stands for. */
static void set_add_class(struct matcher_item *item, unsigned char letter)
{
    int (*belongs)(int) = class_of(letter);
    if (belongs == NULL) {
        set_add(item, letter);
        return;
    }
    bool wanted = islower(letter) != 0; /* a capital is the class's complement */
    for (int byte = 0; byte < 256; byte++)
        if ((belongs(byte) != 0) == wanted)
            set_add(item, (unsigned char)byte);
}

static unsigned char take(struct source *source, const char *complaint)
{
    if (source->at == source->end)
        luaL_error(source->L, "malformed pattern (%s)", complaint);
    return (unsigned char)*source->at++;
}

/* The set's closing bracket. A bracket in the first place is one of its bytes. */
static const char *find_bracket(struct source *source)
{
    struct source ahead = *source;
    static const char missing[] = "missing ']'";
    for (bool first = true;; first = false) {
        unsigned char byte = take(&ahead, missing);
        if (byte == ']' && !first)
            return ahead.at - 1;
        if (byte == '%')
            take(&ahead, missing);
    }
}

/* What stands between "[" and "]"; the source is behind the "[". */
static void read_set(struct source *source, struct matcher_item *item)
{
    bool inverted = source->at < source->end && *source->at == '^';
    source->at += inverted;
    const char *bracket = find_bracket(source);
    const char *at = source->at;
    while (at < bracket) {
        unsigned char byte = (unsigned char)*at++;
        if (byte == '%') {
            set_add_class(item, (unsigned char)*at++);
        } else if (bracket - at >= 2 && *at == '-') {
            for (int each = byte; each <= (unsigned char)at[1]; each++)
                set_add(item, (unsigned char)each);
            at += 2;
        } else {
            set_add(item, byte);
        }
    }
    for (int i = 0; inverted && i < 8; i++)
        item->set[i] = ~item->set[i];
    source->at = bracket + 1;
}

static void read_open(struct source *source, struct matcher_item *item)
{
    if (source->opened++ == MATCHER_CAPTURES)
        luaL_error(source->L, "too many captures");
    bool position = source->at < source->end && *source->at == ')';
    source->at += position;
    source->unclosed += !position;
    item->kind = position ? ITEM_POSITION : ITEM_OPEN;
}

static void read_close(struct source *source, struct matcher_item *item)
{
    if (source->unclosed-- == 0)
        luaL_error(source->L, "invalid pattern capture");
    item->kind = ITEM_CLOSE;
}

static void read_frontier(struct source *source, struct matcher_item *item)
{
    if (source->at == source->end || *source->at != '[')
        luaL_error(source->L, "missing '[' after '%%f' in pattern");
    source->at++;
    item->kind = ITEM_FRONTIER;
    read_set(source, item);
}

static void read_escape(struct source *source, struct matcher_item *item)
{
    static const char missing[] = "missing arguments to '%b'";
    unsigned char byte = take(source, "ends with '%'");
    if (byte == 'b') {
        item->kind = ITEM_BALANCED;
        item->first = take(source, missing);
        item->second = take(source, missing);
    } else if (byte == 'f') {
        read_frontier(source, item);
    } else if (isdigit(byte)) {
        if (byte == '0' || byte - '0' > source->opened)
            luaL_error(source->L, "invalid capture index %%%c in pattern", byte);
        item->kind = ITEM_AGAIN;
        item->first = (unsigned char)(byte - '1');
    } else if (class_of(byte) == NULL) {
        item->kind = ITEM_BYTE;
        item->first = byte;
    } else {
        item->kind = ITEM_SET;
        set_add_class(item, byte);
    }
}

static void read_item(struct source *source, struct matcher_item *item)
{
    unsigned char byte = (unsigned char)*source->at++;
    switch (byte) {
    case '(':
        read_open(source, item);
        break;
    case ')':
        read_close(source, item);
        break;
    case '%':
        read_escape(source, item);
        break;
    case '.':
        item->kind = ITEM_ANY;
        break;
    case '[':
        item->kind = ITEM_SET;
        read_set(source, item);
        break;
    default: /* a "$" is magic only at the end */
        item->kind = byte == '$' && source->at == source->end ? ITEM_LAST : ITEM_BYTE;
        item->first = byte;
    }
    if (item->kind <= ITEM_SET && source->at < source->end && *source->at != '\0' &&
        strchr("*+-?", *source->at) != NULL)
        item->repeat = *source->at++;
}

/* Pushes the items of the pattern on top of the stack, in its place. */
static void translate(lua_State *L)
{
    size_t length;
    const char *pattern = lua_tolstring(L, -1, &length);
    struct source source = {.L = L, .at = pattern, .end = pattern + length};
    struct matcher_item *items = lua_newuserdatauv(L, (length + 1) * sizeof *items, 0);
    size_t count = 0;
    while (source.at < source.end) {
        items[count] = (struct matcher_item){0};
        read_item(&source, &items[count++]);
    }
    if (source.unclosed > 0)
        luaL_error(L, "unfinished capture");
    items[count] = (struct matcher_item){.kind = ITEM_DONE};
    lua_remove(L, -2);
}

/* Pushes the registry's table of patterns and their items; a full one is begun anew. */
static struct script *push_kept(lua_State *L)
{
    static const char key = 'm';
    struct script *script = script_of(L);
    if (script->patterns_kept == 0 || script->patterns_kept > PATTERNS_KEPT) {
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &key);
        script->patterns_kept = 1;
    } else {
        lua_rawgetp(L, LUA_REGISTRYINDEX, &key);
    }
    return script;
}

const struct matcher_item *matcher_compile(lua_State *L, const char *pattern, size_t length)
{
    struct script *script = push_kept(L);
    lua_pushlstring(L, pattern, length);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, -3) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        translate(L);
        script_charge(L, length);
        if (length <= LONGEST_KEPT) {
            lua_pushvalue(L, -2);
            lua_pushvalue(L, -2);
            lua_rawset(L, -5);
            script->patterns_kept++;
        }
    }
    lua_replace(L, -3);
    lua_pop(L, 1);
    return lua_touserdata(L, -1);
}

void matcher_settle(lua_State *L, struct matcher *matcher)
{
    uint64_t steps = matcher->steps;
    matcher->steps = 0;
    script_charge(L, steps);
}

static void spend(lua_State *L, struct matcher *matcher, size_t steps)
{
    matcher->steps += steps;
    if (matcher->steps >= SCRIPT_STEP)
        matcher_settle(L, matcher);
}

static bool takes(const struct matcher_item *item, unsigned char byte)
{
    return item->kind == ITEM_ANY || (item->kind == ITEM_BYTE && item->first == byte) ||
           (item->kind == ITEM_SET && set_has(item, byte));
}

static bool takes_at(const struct matcher *matcher, const struct matcher_item *item, const char *at)
{
    return at < matcher->end && takes(item, (unsigned char)*at);
}

static const char *go_on(lua_State *L, struct matcher *matcher, const struct matcher_item *item,
                         const char *at);

/* As many as there are, then fewer and fewer until the rest matches. */
static const char *take_most(lua_State *L, struct matcher *matcher, const struct matcher_item *item,
                             const char *at)
{
    const char *last = at;
    while (takes_at(matcher, item, last)) {
        last++;
        spend(L, matcher, 1);
    }
    const char *least = item->repeat == '+' ? at + 1 : at;
    for (; last >= least; last--) {
        const char *end = go_on(L, matcher, item + 1, last);
        if (end != NULL)
            return end;
    }
    return NULL;
}

/* None, then more and more until the rest matches. */
static const char *take_least(lua_State *L, struct matcher *matcher,
                              const struct matcher_item *item, const char *at)
{
    for (;; at++) {
        const char *end = go_on(L, matcher, item + 1, at);
        if (end != NULL || !takes_at(matcher, item, at))
            return end;
    }
}

static const char *open_capture(lua_State *L, struct matcher *matcher,
                                const struct matcher_item *item, const char *at)
{
    matcher->captures[matcher->level++] =
        (struct capture){at, item->kind == ITEM_POSITION ? CAPTURE_POSITION : CAPTURE_OPEN};
    const char *end = go_on(L, matcher, item + 1, at);
    if (end == NULL)
        matcher->level--;
    return end;
}

static const char *close_capture(lua_State *L, struct matcher *matcher,
                                 const struct matcher_item *item, const char *at)
{
    int last = matcher->level - 1;
    while (matcher->captures[last].length != CAPTURE_OPEN) /* compiling saw to it that one is */
        last--;
    matcher->captures[last].length = at - matcher->captures[last].start;
    const char *end = go_on(L, matcher, item + 1, at);
    if (end == NULL)
        matcher->captures[last].length = CAPTURE_OPEN;
    return end;
}

/* Returns where the capture's bytes end that stand at at once more, or NULL. */
static const char *take_again(lua_State *L, struct matcher *matcher, int number, const char *at)
{
    const struct capture *capture = &matcher->captures[number];
    if (number >= matcher->level || capture->length == CAPTURE_OPEN)
        luaL_error(L, "invalid capture index %%%d in pattern", number + 1);
    size_t length = (size_t)capture->length;
    if (capture->length == CAPTURE_POSITION || length > (size_t)(matcher->end - at))
        return NULL; /* a position has no bytes; nothing is equal to it */
    spend(L, matcher, length / 16);
    return memcmp(capture->start, at, length) == 0 ? at + length : NULL;
}

static const char *take_balanced(lua_State *L, struct matcher *matcher,
                                 const struct matcher_item *item, const char *at)
{
    if (at == matcher->end || (unsigned char)*at != item->first)
        return NULL;
    size_t nested = 1;
    while (++at < matcher->end) {
        unsigned char byte = (unsigned char)*at;
        spend(L, matcher, 1);
        if (byte == item->second) {
            if (--nested == 0)
                return at + 1;
        } else if (byte == item->first) {
            nested++;
        }
    }
    return NULL;
}

static bool is_frontier(const struct matcher *matcher, const struct matcher_item *item,
                        const char *at)
{
    unsigned char before = at == matcher->begin ? '\0' : (unsigned char)at[-1];
    unsigned char here = at == matcher->end ? '\0' : (unsigned char)*at;
    return !set_has(item, before) && set_has(item, here);
}

/* Items that need the rest to be tried: their own functions do. */
static bool branches(const struct matcher_item *item)
{
    return item->repeat != 0 || item->kind == ITEM_OPEN || item->kind == ITEM_POSITION ||
           item->kind == ITEM_CLOSE;
}

static const char *branch(lua_State *L, struct matcher *matcher, const struct matcher_item *item,
                          const char *at)
{
    if (item->kind == ITEM_CLOSE)
        return close_capture(L, matcher, item, at);
    if (item->kind == ITEM_OPEN || item->kind == ITEM_POSITION)
        return open_capture(L, matcher, item, at);
    if (item->repeat == '-')
        return take_least(L, matcher, item, at);
    if (item->repeat != '?')
        return take_most(L, matcher, item, at);
    const char *end = takes_at(matcher, item, at) ? go_on(L, matcher, item + 1, at + 1) : NULL;
    return end != NULL ? end : go_on(L, matcher, item + 1, at);
}

/* An item that matches in one way or none: where it ends, or NULL. */
static const char *take_item(lua_State *L, struct matcher *matcher, const struct matcher_item *item,
                             const char *at)
{
    switch ((enum item_kind)item->kind) {
    case ITEM_AGAIN:
        return take_again(L, matcher, item->first, at);
    case ITEM_BALANCED:
        return take_balanced(L, matcher, item, at);
    case ITEM_FRONTIER:
        return is_frontier(matcher, item, at) ? at : NULL;
    case ITEM_LAST:
        return at == matcher->end ? at : NULL;
    default:
        return takes_at(matcher, item, at) ? at + 1 : NULL;
    }
}

/* Matches the rest of the pattern, from item on. */
static const char *go_on(lua_State *L, struct matcher *matcher, const struct matcher_item *item,
                         const char *at)
{
    if (++matcher->depth > DEEPEST)
        luaL_error(L, "pattern too complex");
    for (; at != NULL && item->kind != ITEM_DONE; item++) {
        spend(L, matcher, 1);
        if (branches(item)) {
            at = branch(L, matcher, item, at);
            break;
        }
        at = take_item(L, matcher, item, at);
    }
    spend(L, matcher, 1);
    matcher->depth--;
    return at;
}

const char *matcher_try(lua_State *L, struct matcher *matcher, const char *at)
{
    matcher->level = 0;
    matcher->depth = 0;
    return go_on(L, matcher, matcher->items, at);
}
