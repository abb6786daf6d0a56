"""A thousand clients at once, and each gets its own answer."""

import asyncio
import re

import peer

CLIENTS = 300 if peer.handlens.SANITIZED else 1000


class Ours(peer.PeerTest):
    """Both ends by one `run`. The lab fails if an answer is another client's."""

    def run_many(self, *arguments):
        return self.run_handlens("run", "many", "--clients", CLIENTS, *arguments, timeout=120)

    def test_all_get_their_own_answers(self):
        self.run_many("--no-capture", "-q")

    def test_all_their_packets_are_captured(self):
        if not peer.handlens.PRIVATE:
            self.skipTest("no private loopback on this machine")
        result = self.run_many("-w", "many.pcapng", "--as", "json")
        self.assertNotIn("not captured", result.err)
        flows = re.findall(r'^{"event": ?"flow",.*$', result.out, re.MULTILINE)
        self.assertEqual(len(flows), CLIENTS)
        for flow in flows:
            self.assertIn('"SYN, SYN ACK, ACK"', flow)

    def test_over_and_over(self):
        result = self.run_handlens("run", "echo", "--clients", 20, "--repeat", 20, "-v",
                                   "--no-capture", timeout=120)
        self.assertEqual(result.err.count("is there an echo?"), 400)

    def test_on_a_terminal_progress_is_shown_when_it_takes_long(self):
        slow = self.lab("""
lab.port = 7014
function lab.reply(message) return message end
function lab.client(server) sleep(1.5) end
""")
        status, shown = self.run_on_terminal("run", slow, "--clients", 20, "--no-capture")
        self.assertEqual(status, peer.DONE)
        self.assertIn("handlens: 0 of 20 client runs have ended", shown)
        self.assertNotIn("of 20 client", self.run_handlens("run", slow, "--clients", 20).err)


class Theirs(peer.PeerTest):
    """The server alone, and clients by asyncio: all connected before the first one speaks."""

    async def converse(self, port):
        together = asyncio.Barrier(CLIENTS) if hasattr(asyncio, "Barrier") else None
        talking = asyncio.Semaphore(100)  # at a time, for the queue of connections is 128

        async def one(number):
            async with talking:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            if together:
                await together.wait()
            writer.write(b"%d plus 1" % number)
            answer = await reader.read(1024)
            writer.close()
            await writer.wait_closed()
            return answer

        return await asyncio.gather(*(one(number) for number in range(CLIENTS)))

    def test_all_get_their_own_answers(self):
        server = self.serve("many", "--port", "0")
        answers = asyncio.run(asyncio.wait_for(self.converse(server.port), 2 * peer.PATIENCE))
        self.assertEqual(answers, [b"%d" % (number + 1) for number in range(CLIENTS)])
        server.interrupted()


if __name__ == "__main__":
    peer.main()
