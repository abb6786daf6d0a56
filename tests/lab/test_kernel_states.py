"""What TCP_INFO said of a socket after a call, and the state that its packets had brought it to."""

import unittest

import handlens


class KernelStates(handlens.LabTest):
    def states(self, lab):
        """(kernel's state, derived state, event) of each connected socket after each of its calls."""
        derived, found = {}, []
        for event in self.json(self.capture(lab, f"{lab}.pcapng")):
            if event["event"] == "packet" and "state_client" in event:
                source = f"{event['source']}:{event['source_port']}"
                destination = f"{event['destination']}:{event['destination_port']}"
                client, server = ((source, destination) if event["from"] == "client" else (destination, source))
                derived[client, server] = event["state_client"]
                derived[server, client] = event["state_server"]
            elif event["event"] == "kernel_state" and event["remote"] is not None:
                found.append((event["state"], derived.get((event["local"], event["remote"])), event))
        return found

    def check(self, lab, *wanted):
        found = self.states(lab)
        for kernel, packets, event in found:
            # TIME-WAIT is the kernel's own affair: the program's socket is CLOSED by then.
            if (kernel, packets) != ("CLOSED", "TIME-WAIT"):
                self.assertEqual(kernel, packets, event)
        self.assertEqual(set(wanted) - {kernel for kernel, _, _ in found}, set())

    def test_hello(self):
        self.check("hello", "ESTABLISHED", "CLOSE-WAIT")

    def test_steps(self):
        self.check("steps", "ESTABLISHED")

    def test_a_listening_socket_listens(self):
        events = self.json(self.capture("hello"), "kernel_state")
        listening = [event for event in events if event["remote"] is None]
        self.assertEqual({event["state"] for event in listening}, {"LISTEN"})

    def test_refused(self):
        """Nobody is connected, and the packets say so as well."""
        for kernel, packets, event in self.states("refused"):
            self.assertEqual((kernel, packets), ("CLOSED", "CLOSED"), event)
        flow, *_ = self.json(self.work / "refused.pcapng", "flow")
        self.assertEqual((flow["close"], flow["state_client"]), ("refused", "CLOSED"))


if __name__ == "__main__":
    handlens.main()
