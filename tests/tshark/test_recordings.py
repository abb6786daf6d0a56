"""What `handlens run` records, as handlens and tshark read it."""

import against
import handlens

LABS = ("hello", "steps", "refused", "brokenpipe", "chatroom", "cork", "datagram", "encrypted", "errors", "halfclose",
        "ipv6", "linger", "nobody", "unread")


class Recordings(against.AgainstTshark):
    @handlens.needs_private
    def test_every_packet_of_every_lab(self):
        for lab in LABS:
            with self.subTest(lab):
                path = self.capture(lab, f"{lab}.pcapng")
                self.agree(path)
                self.assertNotRegex(self.complaints, "(?i)cut short|damaged|corrupt|appears", self.complaints)

    @handlens.needs_private
    def test_what_both_ends_said_in_every_lab(self):
        for lab in LABS:
            if lab not in ("datagram", "nobody"):
                with self.subTest(lab):
                    self.agree_on_streams(self.capture(lab, f"{lab}.pcapng"))


if __name__ == "__main__":
    against.main()
