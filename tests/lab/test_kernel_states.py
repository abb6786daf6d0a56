"""What TCP_INFO said of a socket after a call, and the state that its packets had brought it to."""

import handlens

LABS = ("hello", "steps", "brokenpipe", "chatroom", "errors", "filetransfer", "halfclose", "ipv6", "linger", "many",
        "multiplex", "unread")


@handlens.needs_private
class KernelStates(handlens.LabTest):
    def states(self, lab):
        """(kernel's state, derived state, event) of each connected socket after each of its calls."""
        derived, found = {}, []
        for event in self.json(self.capture(lab, f"{lab}.pcapng")):
            if event["event"] == "packet" and "state_client" in event:
                ends = [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in (
                    (event["source"], event["source_port"]), (event["destination"], event["destination_port"]))]
                client, server = ends if event["from"] == "client" else ends[::-1]
                derived[client, server] = event["state_client"]
                derived[server, client] = event["state_server"]
            elif event["event"] == "kernel_state" and event["remote"] is not None:
                found.append((event["state"], derived.get((event["local"], event["remote"])), event))
        return found

    def test_packets_and_kernel_agree_on_every_state(self):
        seen = set()
        for lab in LABS:
            with self.subTest(lab):
                found = self.states(lab)
                self.assertGreater(len(found), 0)
                for kernel, packets, event in found:
                    seen.add(packets)
                    # TIME-WAIT is the kernel's own affair: the program's socket is CLOSED by then.
                    if (kernel, packets) != ("CLOSED", "TIME-WAIT"):
                        self.assertEqual(kernel, packets, event)
        self.assertEqual({"ESTABLISHED", "CLOSE-WAIT", "CLOSED"} - seen, set(), seen)
        self.assertTrue(seen & {"FIN-WAIT-1", "FIN-WAIT-2"}, seen)

    def test_a_listening_socket_listens(self):
        events = self.json(self.capture("hello"), "kernel_state")
        listening = [event for event in events if event["remote"] is None]
        self.assertEqual({event["state"] for event in listening}, {"LISTEN"})

    def test_a_refused_socket_is_closed(self):
        for kernel, packets, event in self.states("refused"):
            self.assertEqual((kernel, packets), ("CLOSED", "CLOSED"), event)
        flow, *_ = self.json(self.work / "refused.pcapng", "flow")
        self.assertEqual((flow["close"], flow["state_client"]), ("refused", "CLOSED"))


if __name__ == "__main__":
    handlens.main()
