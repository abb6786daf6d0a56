#include "command/command.h"
#include "command/perform.h"

static enum status run_run(const struct invocation *invocation, struct error *error)
{
    return perform(invocation, invocation->here ? PLACE_HERE : PLACE_PRIVATE, SCRIPT_EVERYONE, true,
                   error);
}

const struct command command_run = {
    .bit = COMMAND_RUN,
    .name = "run",
    .operands = "LAB",
    .summary = "run a lab, both ends, and show each packet in its call",
    .about = "Runs both ends of LAB on a private loopback that nobody else uses, captures what\n"
             "goes over it, and shows each packet inside the socket call that caused it. No\n"
             "root is needed. LAB is a lab's name or the path of a Lua script.",
    .examples = "  handlens run hello                  the first lab\n"
                "  handlens run hello -w hello.pcapng  keep the trace, for Wireshark too\n"
                "  handlens run hello --step           stop before each call, and ask\n"
                "  handlens run hello --html hello.html  a report to click through\n"
                "  handlens run ./mine.lua --as json   your own lab, for a program to read\n",
    .least_operands = 1,
    .most_operands = 1,
    .run = run_run,
};
