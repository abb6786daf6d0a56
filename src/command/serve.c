/*
 * serve and connect: one side of a lab, for real peers on this machine's network.
 */
#include "command/command.h"
#include "command/perform.h"

/* Without a trace to keep or a view to show, nothing is recorded: the calls are all there is. */
static bool wants_trace(const struct invocation *invocation)
{
    return invocation->trace_path != NULL || invocation->html_path != NULL || invocation->as_given;
}

static enum status run_serve(const struct invocation *invocation, struct error *error)
{
    return perform(invocation, PLACE_NETWORK, SCRIPT_SERVERS, wants_trace(invocation), error);
}

static enum status run_connect(const struct invocation *invocation, struct error *error)
{
    return perform(invocation, PLACE_NETWORK, SCRIPT_CLIENTS, wants_trace(invocation), error);
}

const struct command command_serve = {
    .bit = COMMAND_SERVE,
    .name = "serve",
    .operands = "LAB",
    .summary = "run a lab's server alone, for real clients",
    .about = "Runs the server of LAB on this machine's network until Ctrl-C. It listens on\n"
             "the lab's own host and port unless told otherwise, and only on the loopback\n"
             "unless --host names something wider. With -w, --html or --as the trace is\n"
             "kept and shown at the end, with packets where this process may capture.",
    .examples = "  handlens serve hello --port 9000\n"
                "  handlens serve hello -w served.pcapng    keep calls and packets\n",
    .least_operands = 1,
    .most_operands = 1,
    .run = run_serve,
};

const struct command command_connect = {
    .bit = COMMAND_CONNECT,
    .name = "connect",
    .operands = "LAB",
    .summary = "run a lab's client alone, to a real server",
    .about = "Runs the client of LAB on this machine's network, to the lab's own host and\n"
             "port unless told otherwise. A lab that takes a message gets it from\n"
             "--message, and asks for it line by line without one.",
    .examples = "  handlens connect hello --port 9000\n",
    .least_operands = 1,
    .most_operands = 1,
    .run = run_connect,
};
