/*
 * Who is who in the ladder: roles, their sockets and flows, and the lane of each.
 *
 * Theory of operation. The ends of a flow are found to be roles by their sockets' addresses
 * (TRACE_SOCKET), or, for its first packet, by the call that caused it. What has no role gets a
 * lane shared by all strangers of that side. Sockets and flows are remembered in caches of fixed
 * size, where a newcomer drives out whoever sits in its place: a flow driven out is found again
 * by its addresses, or, if its socket is forgotten as well, is drawn between strangers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "view/ladder.h"

/* The inner room that makes lanes give way. */
#define INNER_LEAST 40

#define GUTTER_LEFT   12 /* "ESTABLISHED" and a space */
#define GUTTER_RIGHT  13 /* "SYN-RECEIVED" and a space */
#define GUTTER_NARROW 5
#define TIME_WIDTH    11

static void set_name(struct ladder *ladder, char name[24], struct trace_text text)
{
    struct trace_text safe = ladder_safe(ladder, text, 16);
    size_t length = terminal_fit(safe.data, safe.length < 23 ? safe.length : 23, 16);
    while (length > 0 && safe.data[length - 1] == ' ')
        length--;
    memcpy(name, safe.data, length);
    name[length] = '\0';
}

struct ladder_role *ladder_find_role(struct ladder *ladder, uint32_t id)
{
    /* Roles are counted from 1 in the order of appearance. */
    if (id >= 1 && id <= ladder->role_count && ladder->roles[id - 1].id == id)
        return &ladder->roles[id - 1];
    for (size_t i = 0; i < ladder->role_count; i++)
        if (ladder->roles[i].id == id)
            return &ladder->roles[i];
    return NULL;
}

bool ladder_add_role(struct ladder *ladder, const struct trace_role *role)
{
    if (ladder_find_role(ladder, role->role) != NULL)
        return true;
    if (ladder->role_count == ladder->role_capacity) {
        size_t capacity = ladder->role_capacity * 2 + 8;
        struct ladder_role *roles = realloc(ladder->roles, capacity * sizeof *roles);
        if (roles == NULL)
            return false;
        ladder->roles = roles;
        ladder->role_capacity = capacity;
    }
    struct ladder_role *added = &ladder->roles[ladder->role_count++];
    *added = (struct ladder_role){.id = role->role, .kind = role->kind, .lane = -1};
    set_name(ladder, added->name, role->name);
    if (added->name[0] == '\0')
        snprintf(added->name, sizeof added->name, "role %u", role->role);
    ladder->laid_out = false;
    return true;
}

/* Sockets. */

static uint32_t hash_ends(uint32_t transport, const struct address *a, const struct address *b)
{
    uint32_t hash = 2166136261u ^ transport;
    const struct address *const ends[2] = {a, b};
    for (int e = 0; e < 2; e++) {
        for (size_t i = 0; i < sizeof ends[e]->bytes; i++)
            hash = (hash ^ ends[e]->bytes[i]) * 16777619u;
        hash = (hash ^ ends[e]->port) * 16777619u;
    }
    return hash ^ hash >> 15;
}

static struct ladder_socket *connected_slot(struct ladder *ladder, uint32_t transport,
                                            const struct address *local,
                                            const struct address *remote)
{
    return &ladder->sockets[hash_ends(transport, local, remote) % LADDER_SOCKETS];
}

/* A connected socket by its number; NULL if it has been forgotten. */
static struct ladder_socket *find_connected(struct ladder *ladder, uint32_t socket)
{
    struct ladder_socket *slot =
        &ladder->sockets[ladder->socket_slots[socket % LADDER_SOCKETS] % LADDER_SOCKETS];
    return socket != 0 && slot->socket == socket ? slot : NULL;
}

static struct ladder_socket *slot_for(struct ladder *ladder, const struct trace_socket *socket)
{
    if (socket->remote.family != 0)
        return connected_slot(ladder, socket->transport, &socket->local, &socket->remote);
    for (size_t i = 0; i < LADDER_BOUND; i++)
        if (ladder->bound[i].socket == socket->socket)
            return &ladder->bound[i];
    return &ladder->bound[ladder->bound_next++ % LADDER_BOUND];
}

void ladder_add_socket(struct ladder *ladder, const struct trace_socket *socket)
{
    struct ladder_socket *slot = slot_for(ladder, socket);
    bool known = slot->socket == socket->socket;
    bool listens = known && slot->listens;
    *slot = (struct ladder_socket){.socket = socket->socket,
                                   .role = socket->role,
                                   .transport = socket->transport,
                                   .listens = listens,
                                   .local = socket->local,
                                   .remote = socket->remote};
    if (socket->remote.family == 0)
        return;
    ladder->socket_slots[socket->socket % LADDER_SOCKETS] = (uint16_t)(slot - ladder->sockets);
    struct ladder_role *role = ladder_find_role(ladder, socket->role);
    if (role == NULL || known)
        return;
    role->connections++;
    role->has_many = role->has_many || role->connections > 1;
}

void ladder_socket_closes(struct ladder *ladder, uint32_t socket)
{
    const struct ladder_socket *slot = find_connected(ladder, socket);
    struct ladder_role *role = slot == NULL ? NULL : ladder_find_role(ladder, slot->role);
    if (role != NULL && role->connections > 0)
        role->connections--;
    for (size_t i = 0; i < LADDER_BOUND; i++)
        if (socket != 0 && ladder->bound[i].socket == socket)
            ladder->bound[i].listens = false;
}

const struct ladder_flow *ladder_socket_flow(struct ladder *ladder, uint32_t socket,
                                             enum flow_end *end)
{
    struct ladder_socket *slot = find_connected(ladder, socket);
    if (slot == NULL)
        return NULL;
    const struct ladder_flow *flow = &ladder->flows[slot->flow % LADDER_FLOWS];
    if (slot->flow == 0 || flow->id != slot->flow)
        flow = ladder_find_ends(ladder, (uint8_t)slot->transport, &slot->local, &slot->remote, end);
    if (flow == NULL)
        return NULL;
    slot->flow = flow->id;
    *end = address_equal(&flow->address[FLOW_CLIENT], &slot->local) ? FLOW_CLIENT : FLOW_SERVER;
    return flow;
}

void ladder_socket_listens(struct ladder *ladder, uint32_t socket)
{
    for (size_t i = 0; i < LADDER_BOUND; i++)
        if (ladder->bound[i].socket == socket)
            ladder->bound[i].listens = true;
}

static bool is_bound_to(const struct ladder_socket *socket, uint8_t protocol,
                        const struct address *address)
{
    return socket->socket != 0 && socket->transport == protocol &&
           socket->local.port == address->port &&
           (address_is_any(&socket->local) || address_equal(&socket->local, address));
}

static const struct ladder_socket *find_bound(const struct ladder *ladder, uint8_t protocol,
                                              const struct address *address)
{
    for (size_t i = 0; i < LADDER_BOUND; i++)
        if (is_bound_to(&ladder->bound[i], protocol, address))
            return &ladder->bound[i];
    return NULL;
}

/* The role that the end of a flow is, as far as sockets tell; 0 if none. */
static uint32_t role_by_socket(struct ladder *ladder, uint8_t protocol, const struct address *local,
                               const struct address *remote)
{
    const struct ladder_socket *socket = connected_slot(ladder, protocol, local, remote);
    if (socket->socket != 0 && socket->transport == protocol &&
        address_equal(&socket->local, local) && address_equal(&socket->remote, remote))
        return socket->role;
    socket = find_bound(ladder, protocol, local);
    if (socket != NULL)
        return socket->role;
    if (!address_equal(local, &ladder->address))
        return 0;
    for (size_t i = 0; i < ladder->role_count; i++)
        if (ladder->roles[i].kind == TRACE_ROLE_SERVER)
            return ladder->roles[i].id;
    return 0;
}

bool ladder_is_listening(const struct ladder *ladder, const struct ladder_flow *flow)
{
    for (size_t i = 0; i < LADDER_BOUND; i++)
        if (ladder->bound[i].listens &&
            is_bound_to(&ladder->bound[i], flow->protocol, &flow->address[FLOW_SERVER]))
            return true;
    return false;
}

size_t ladder_start_text(struct ladder *ladder, uint32_t id, uint32_t socket)
{
    buffer_clear(&ladder->text);
    const struct ladder_role *role = ladder_find_role(ladder, id);
    if (role == NULL)
        return 0;
    if (role->lane >= 0 && ladder->lanes[role->lane].of_many)
        buffer_printf(&ladder->text, "%s: ", role->name);
    enum flow_end end;
    const struct ladder_flow *flow =
        role->has_many ? ladder_socket_flow(ladder, socket, &end) : NULL;
    if (flow != NULL)
        buffer_printf(&ladder->text, "flow %u: ", flow->id);
    return terminal_width(buffer_text(&ladder->text), ladder->text.length);
}

/* Flows. */

struct ladder_flow *ladder_find_flow(struct ladder *ladder, const struct view_item *item)
{
    const struct flow *flow = item->facts->flow;
    struct ladder_flow *known = &ladder->flows[flow->id % LADDER_FLOWS];
    if (known->id != flow->id) {
        *known = (struct ladder_flow){.id = flow->id, .protocol = flow->protocol};
        for (int end = 0; end < 2; end++)
            known->address[end] = flow->side[end].address;
    }
    for (int end = 0; end < 2; end++) {
        known->state[end] = item->facts->after[end];
        if (known->role[end] == 0 && ladder->role_count > 0)
            known->role[end] = role_by_socket(ladder, known->protocol, &known->address[end],
                                              &known->address[!end]);
    }
    const struct ladder_call *call = ladder_find_call(ladder, item->event->packet.cause);
    if (item->facts->new_flow && call != NULL && known->role[item->facts->from] == 0)
        known->role[item->facts->from] = call->role;
    return known;
}

struct ladder_flow *ladder_find_ends(struct ladder *ladder, uint8_t protocol,
                                     const struct address *a, const struct address *b,
                                     enum flow_end *end)
{
    for (size_t i = 0; i < LADDER_FLOWS; i++) {
        struct ladder_flow *flow = &ladder->flows[i];
        if (flow->id == 0 || flow->protocol != protocol)
            continue;
        *end = address_equal(&flow->address[FLOW_SERVER], a) ? FLOW_SERVER : FLOW_CLIENT;
        if (address_equal(&flow->address[*end], a) && address_equal(&flow->address[!*end], b))
            return flow;
    }
    return NULL;
}

/* Lanes. */

/* The strangers' lane of a side. */
static int shared_lane(struct ladder *ladder, bool right)
{
    for (int i = 0; i < ladder->lane_count; i++)
        if (ladder->lanes[i].shared && ladder->lanes[i].right == right)
            return i;
    if (right)
        ladder->extra_right = true;
    else
        ladder->extra_left = true;
    ladder->laid_out = false;
    ladder_lay_out(ladder);
    return right ? ladder->lane_count - 1 : 0;
}

int ladder_lane_of(struct ladder *ladder, uint32_t role)
{
    ladder_lay_out(ladder);
    const struct ladder_role *found = ladder_find_role(ladder, role);
    return found == NULL ? shared_lane(ladder, false) : found->lane;
}

void ladder_flow_lanes(struct ladder *ladder, const struct ladder_flow *flow, int lanes[2])
{
    ladder_lay_out(ladder);
    bool known[2];
    for (int end = 0; end < 2; end++) {
        known[end] = ladder_find_role(ladder, flow->role[end]) != NULL;
        lanes[end] = known[end] ? ladder_lane_of(ladder, flow->role[end]) : -1;
    }
    if (known[0] && known[1] && lanes[0] == lanes[1])
        known[FLOW_SERVER] = false; /* a role that talks to itself */
    for (int end = 0; end < 2; end++) {
        if (known[end])
            continue;
        bool right = known[!end] ? !ladder->lanes[lanes[!end]].right : end == FLOW_SERVER;
        lanes[end] = shared_lane(ladder, right);
        /* The lanes may have been laid out anew. */
        if (known[!end])
            lanes[!end] = ladder_lane_of(ladder, flow->role[!end]);
    }
}

static const unsigned left_styles[] = {6, 5, 3, 4};
static const unsigned right_styles[] = {2, 4, 5, 3};

static struct ladder_lane *add_lane(struct ladder *ladder, bool right, bool shared,
                                    const char *name)
{
    struct ladder_lane *lane = &ladder->lanes[ladder->lane_count++];
    int among = ladder->lane_count - 1 - (right ? ladder->left_count : 0);
    *lane = (struct ladder_lane){.right = right, .shared = shared};
    lane->style = right ? right_styles[among % 4] : left_styles[among % 4];
    snprintf(lane->name, sizeof lane->name, "%s", name);
    if (!right)
        ladder->left_count = ladder->lane_count;
    return lane;
}

/* One side's lanes, each role its own or all in one. */
static void add_lanes(struct ladder *ladder, bool right, bool one_for_all)
{
    enum trace_role_kind kind = right ? TRACE_ROLE_SERVER : TRACE_ROLE_CLIENT;
    bool any = false;
    if (ladder->extra_left && !right)
        add_lane(ladder, false, true, "others");
    for (size_t i = 0; i < ladder->role_count; i++) {
        struct ladder_role *role = &ladder->roles[i];
        if (role->kind != kind)
            continue;
        if (!any || !one_for_all)
            add_lane(ladder, right, false,
                     one_for_all ? (right ? "servers" : "clients") : role->name)
                ->of_many = one_for_all;
        role->lane = ladder->lane_count - 1;
        any = true;
    }
    if (ladder->extra_right && right)
        add_lane(ladder, true, true, "others");
    else if (!any && !(ladder->extra_left && !right))
        add_lane(ladder, right, true,
                 right                  ? "server"
                 : ladder->has_exchange ? "clients"
                                        : "client");
}

static int count_roles(const struct ladder *ladder, enum trace_role_kind kind)
{
    int count = 0;
    for (size_t i = 0; i < ladder->role_count; i++)
        count += ladder->roles[i].kind == kind;
    return count;
}

/* Where everything stands, for so many lanes. */
static void place_columns(struct ladder *ladder)
{
    int columns = ladder->options->terminal.columns;
    int right_count = ladder->lane_count - ladder->left_count;
    int left_width = 2 * ladder->left_count - 1;
    int right_width = 2 * right_count - 1;
    ladder->inner_column = ladder->time_width + ladder->left_gutter + left_width;
    ladder->inner = columns - ladder->inner_column - right_width - ladder->right_gutter;
    for (int i = 0; i < ladder->left_count; i++)
        ladder->lanes[i].column = ladder->time_width + ladder->left_gutter + 2 * i;
    for (int i = 0; i < right_count; i++)
        ladder->lanes[ladder->left_count + i].column = ladder->inner_column + ladder->inner + 2 * i;
}

/* The lanes' names, a row for each lane of the side that has more of them. */
static void draw_names(struct ladder *ladder)
{
    int right_count = ladder->lane_count - ladder->left_count;
    int rows = ladder->left_count > right_count ? ladder->left_count : right_count;
    const char *bar = ladder->glyphs->light;
    for (int row = 0; row < rows; row++) {
        struct ladder_text *text = &ladder->line;
        ladder_text_clear(text);
        for (int i = 0; i < ladder->lane_count; i++) {
            const struct ladder_lane *lane = &ladder->lanes[i];
            /* On the left names come top down from the left, on the right from the right. */
            int turn = lane->right ? ladder->lane_count - 1 - i : i;
            size_t column = (size_t)lane->column;
            if (turn == row) {
                size_t width = terminal_width(lane->name, strlen(lane->name));
                if (lane->right && column + 1 >= width)
                    column = column + 1 - width;
                ladder_fill(ladder, text, STYLE_PLAIN, " ", column);
                ladder_put(ladder, text, lane->style | STYLE_BOLD, lane->name, strlen(lane->name));
            } else if (turn < row) {
                ladder_fill(ladder, text, STYLE_PLAIN, " ", column);
                ladder_put(ladder, text, lane->style, bar, strlen(bar));
            }
        }
        buffer_append_byte(&text->bytes, '\n');
        buffer_append(ladder->out, text->bytes.data, text->bytes.length);
    }
}

void ladder_lay_out(struct ladder *ladder)
{
    int columns = ladder->options->terminal.columns;
    if (ladder->laid_out && columns == ladder->columns)
        return;
    ladder->laid_out = true;
    ladder->columns = columns;
    ladder->narrow = columns < GUTTER_LEFT + GUTTER_RIGHT + 35;
    ladder->left_gutter = ladder->narrow ? GUTTER_NARROW : GUTTER_LEFT;
    ladder->right_gutter = ladder->narrow ? GUTTER_NARROW : GUTTER_RIGHT;
    ladder->time_width = columns >= 100 ? TIME_WIDTH : 0;
    int clients = count_roles(ladder, TRACE_ROLE_CLIENT) + ladder->extra_left;
    int servers = count_roles(ladder, TRACE_ROLE_SERVER) + ladder->extra_right;
    int room = columns - ladder->left_gutter - ladder->right_gutter - ladder->time_width;
    bool crowded = clients + servers > LADDER_LANES - 2 ||
                   (clients + servers > 2 && room - 2 * (clients + servers) + 2 < INNER_LEAST);
    ladder->lane_count = ladder->left_count = 0;
    add_lanes(ladder, false, crowded && clients > 1);
    add_lanes(ladder, true, crowded && servers > 1);
    place_columns(ladder);
    memset(ladder->pair_flow, 0, sizeof ladder->pair_flow);
    for (size_t i = 0; i < ladder->call_count; i++)
        if (ladder->calls[i].shown && ladder_find_role(ladder, ladder->calls[i].role) != NULL)
            ladder->lanes[ladder_find_role(ladder, ladder->calls[i].role)->lane].calls++;
    /* The names' rows use the line's text, and whoever asked may be about to draw one. */
    draw_names(ladder);
}
