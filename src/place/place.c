#include "place/place.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "place/loopback.h"
#include "place/ways_out.h"

static void describe(struct place *place, enum place_kind kind)
{
    static const char *const names[] = {
        [PLACE_PRIVATE] = "private loopback",
        [PLACE_HERE] = "this machine's loopback",
        [PLACE_NETWORK] = "this machine's network",
    };
    *place = (struct place){
        .kind = kind,
        .name = names[kind],
        .interface = kind == PLACE_NETWORK ? "any" : "lo",
    };
    if (gethostname(place->host_name, sizeof place->host_name) != 0)
        snprintf(place->host_name, sizeof place->host_name, "localhost");
    place->host_name[sizeof place->host_name - 1] = '\0';
}

static bool enter_here(struct place *place, bool capture, struct error *error)
{
    describe(place, PLACE_HERE);
    int refusal = loopback_capture_error();
    place->may_capture = refusal == 0;
    if (refusal == 0 || !capture)
        return true;
    struct buffer text = {0};
    buffer_printf(&text,
                  "packets may not be captured on this machine's loopback (packet socket: %s)",
                  strerror(refusal));
    ways_out_append(&text, false);
    error_set(error, STATUS_NOT_ALLOWED, "%s", buffer_text(&text));
    buffer_free(&text);
    return false;
}

static void enter_network(struct place *place)
{
    describe(place, PLACE_NETWORK);
    int refusal = loopback_capture_error();
    place->may_capture = refusal == 0;
    if (refusal == 0)
        return;
    char way[256];
    ways_out_shortest(way, sizeof way);
    snprintf(place->remark, sizeof place->remark,
             "no packets can be shown: they may not be captured here (packet socket: %s); %s",
             strerror(refusal), way);
}

static bool wish_failed(const struct loopback_failure *failure, struct error *error)
{
    return error_set(error, STATUS_NOT_ALLOWED,
                     "cannot set %s to %d on the private loopback: %s (%s)", failure->subject,
                     failure->value, strerror(failure->error), error_code_name(failure->error));
}

/* A private loopback is not to be had, for the reason that failure gives. */
static bool fall_back(struct place *place, bool capture, const struct place_wishes *wishes,
                      const struct loopback_failure *failure, struct error *error)
{
    describe(place, PLACE_HERE);
    const char *step = loopback_step_name(failure->step);
    const char *reason = strerror(failure->error);
    int refusal = loopback_capture_error();
    place->may_capture = refusal == 0;
    if (refusal == 0 || !capture) {
        snprintf(place->remark, sizeof place->remark,
                 "no private loopback here (%s: %s), so this runs on this machine's loopback%s",
                 step, reason,
                 loopback_has_wishes(wishes) ? ", without the settings that the lab asks for" : "");
        return true;
    }
    struct buffer text = {0};
    buffer_printf(&text,
                  "this machine allows neither a private loopback (%s: %s)\n"
                  "nor capturing packets on its own (packet socket: %s)",
                  step, reason, strerror(refusal));
    ways_out_append(&text, true);
    error_set(error, STATUS_NOT_ALLOWED, "%s", buffer_text(&text));
    buffer_free(&text);
    return false;
}

bool place_enter(struct place *place, enum place_kind wanted, bool capture,
                 const struct place_wishes *wishes, struct error *error)
{
    if (wanted == PLACE_HERE)
        return enter_here(place, capture, error);
    if (wanted == PLACE_NETWORK) {
        enter_network(place);
        return true;
    }
    struct loopback_failure failure;
    if (!loopback_enter(wishes, capture, &failure)) {
        if (failure.step == LOOPBACK_WISH)
            return wish_failed(&failure, error);
        return fall_back(place, capture, wishes, &failure, error);
    }
    describe(place, PLACE_PRIVATE);
    place->may_capture = capture || loopback_capture_error() == 0;
    return true;
}
